/* pace.h - `rate`: how often a sink may be called. Calls are spaced evenly; nothing is saved up while there is nothing
 * to do, and the first one waits an interval after the start, so that the limit holds across restarts, too. */
#ifndef DELIVER_PACE_H
#define DELIVER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SLOTS 128

struct pace { /* zero: no limit */
	int64_t interval_ns;
	int64_t next_ns;             /* steady clock: not before */
	bool from_end;               /* the interval counts from the end of a call */
	bool alone;                  /* one call at a time */
	uint32_t slots, at;          /* so many calls may be in a window; the oldest of them */
	int64_t window_ns;           /* the time that `rate` names, or a part of it */
	int64_t seen_ns[PACE_SLOTS]; /* the last calls: when the far side had seen them for sure */
};

/* So many calls in this time, of which at most `concurrency` run at once. */
void pace_init(struct pace *, int64_t count, int64_t time_ms, int64_t concurrency, int64_t now_ns);
bool pace_allows(const struct pace *, int64_t now_ns);
void pace_began(struct pace *, int64_t now_ns);
void pace_ended(struct pace *, int64_t now_ns);

#endif
