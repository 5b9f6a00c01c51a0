/* dead.h - dead letters as `patchbay dead` shows them: in groups, record by record, and one with all its attempts. */
#ifndef CLI_DEAD_H
#define CLI_DEAD_H

#include "cli/dead_groups.h"
#include "cli/view.h"

struct dead_order {
	struct journal_dead_filter filter;
	uint64_t limit; /* UINT64_MAX: all */
	bool groups_only, json;
};

/* All return the exit status. */
int dead_list(struct view *, const struct dead_order *);
/* Requests that a plugin crashed with, if such are asked for; *ret_n: how many. */
int dead_crashed(struct view *, const struct dead_order *, uint64_t *ret_n);
int dead_show(struct view *, const struct dead_order *, const char *id);

#endif
