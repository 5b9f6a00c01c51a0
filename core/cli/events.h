/* events.h - the lines of `patchbay events`: which are wanted, how they look, the list of what there is, and following
 * what comes. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include "cli/view.h"

#define EVENTS_UNLIMITED UINT64_MAX

struct events_wanted {
	const char *source, *type; /* NULL: any */
	uint64_t limit;
	int64_t since_ns;
	bool quarantine, json;
	uint64_t printed; /* so far */
};

bool events_wants(const struct events_wanted *, const struct journal_record *);
/* Prints one, with the states of its deliveries; a heading before the first. -1: err. */
int events_print(struct events_wanted *, struct view *, struct journal_pos at, const struct journal_record *,
		 struct err *err);

/* What there is, newest first. Both return the exit status. */
int events_list(struct events_wanted *, struct view *);
/* What comes, as it comes, until the limit, SIGINT or SIGTERM; with since_ns also what came since then. */
int events_follow(struct events_wanted *, struct view *);

#endif
