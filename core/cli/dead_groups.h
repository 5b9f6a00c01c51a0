/* dead_groups.h - dead letters that have the same cause: same sink, same class, and the same reason but for the
 * numbers and ids in it. */
#ifndef CLI_DEAD_GROUPS_H
#define CLI_DEAD_GROUPS_H

#include "journal/journal.h"

#define DEAD_GROUPS_MAX 1000 /* what does not fit into one of so many is only counted */

struct dead_group {
	char *sink, *class_;
	char *pattern;       /* the reason, with # for what is a number or an id */
	char *why;           /* that of the newest */
	bool alike;          /* all have this very reason */
	uint64_t count;
	int64_t first_ms, last_ms;
	struct id newest;
};
struct dead_groups {
	struct dead_group *v;
	size_t n;
	uint64_t others;
};

/* In the order in which they died. */
void dead_groups_add(struct dead_groups *, const struct journal_dead *);
/* The largest first. */
void dead_groups_sort(struct dead_groups *);
void dead_groups_free(struct dead_groups *);

/* "vehicle 17 of bob@example.org" -> "vehicle # of #". A number from 400 to 599 that stands alone is kept: it is
 * more likely an answer's code (of HTTP, of mail) than anything else. */
void dead_generalise(patchbay_str why, struct buf *out);

#endif
