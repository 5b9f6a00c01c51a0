/* repair.h - makes a damaged journal one that passes verify_journal(), and that a daemon starts with. Nothing is
 * deleted: what is taken out goes to a folder damaged-TIME beside. No record moves, since sinks know what they did by
 * position. */
#ifndef JOURNAL_REPAIR_H
#define JOURNAL_REPAIR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct repair_order {
	const char *path;
	bool dry_run;             /* only says what it would do */
	const char *const *sinks; /* that may have been lost from state.db: they are owed all that is there */
	size_t n_sinks;
	/* Each step, once it is done, or would be. `file` is below the journal's folder. */
	void (*say)(void *ctx, const char *file, const char *what);
	void *ctx;
};

struct repair_sums {
	uint64_t steps, salvaged; /* segments that were written anew: their good records */
	char *aside;              /* the folder; free() it. NULL: nothing was taken out */
};

/* The journal's lock is taken for that long. -1: err; what was said before is done. */
int repair_journal(const struct repair_order *, struct repair_sums *, struct err *err);

#endif
