/* replay.h - which deliveries are to be made again, and what becomes of the rest: what `patchbay replay` plans before
 * it does anything. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "cli/view.h"

struct replay_order {
	const char *const *ids; /* none: by the filter */
	size_t n_ids;
	struct journal_dead_filter filter;
	bool force; /* delivered ones, too */
};

struct replay_sink {
	char *name;
	struct journal_replay *v; /* what to replay, oldest death first; due_ms is not set yet */
	size_t n, room;
	uint64_t delivered; /* left out: delivered already, */
	uint64_t skipped;   /* skipped once, and not asked for, */
	uint64_t owed;      /* owed already: the sink comes to it, */
	uint64_t unrouted;  /* no route led there, */
	uint64_t other;     /* of another class than asked for, */
	uint64_t pruned;    /* gone with the retention */
};
struct replay_plan {
	struct replay_sink *sinks;
	size_t n;
	size_t unknown; /* ids of which there is no event; said on stderr */
	uint64_t held;  /* events that wait for their details, and have no deliveries yet */
};

/* Changes nothing. -1: err. Free the plan in any case. */
int replay_plan(struct view *, const struct replay_order *, struct replay_plan *, struct err *err);
void replay_plan_free(struct replay_plan *);
uint64_t replay_plan_total(const struct replay_plan *);

#endif
