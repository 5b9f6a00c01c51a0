/* schedule.h - where the polls of a source stand, as it is kept in the journal: which pages were read, and when each
 * poll is due again. */
#ifndef MOTIVATE_SCHEDULE_H
#define MOTIVATE_SCHEDULE_H

#include "poll.h"

#define TARGET_MAX 2048 /* of a page's address: all polls must fit into a cursor */

struct run {               /* of one poll */
	int64_t due_ms;    /* wall clock: when the next run begins */
	patchbay_str next; /* the page to read next; "" = no run is under way */
	int64_t pages;     /* read so far */
	uint64_t mark;     /* hash of an earlier page's address: coming to it again means going in circles */
};

/* Fills in runs[n] from a cursor; polls that it does not know are due now. */
void schedule_read(const patchbay_host *, patchbay_call *, patchbay_str cursor, const struct poll_options *, size_t n,
		   struct run *runs);
/* "" when the call has no memory left. */
patchbay_str schedule_write(const patchbay_host *, patchbay_call *, const struct poll_options *, size_t n,
			    const struct run *runs);
/* Moves on from one page to the next. False: there is none, or it leads in circles, which *ret_odd says; the run is
 * over. */
bool schedule_advance(struct run *, patchbay_str page, patchbay_str next, const char **ret_odd);
/* How long until one of them is due; 0: at once. */
int64_t schedule_wait_ms(const struct run *runs, size_t n, int64_t now_ms);

#endif
