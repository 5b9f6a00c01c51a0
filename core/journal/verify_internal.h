/* verify_internal.h - what the files of the check share. */
#ifndef JOURNAL_VERIFY_INTERNAL_H
#define JOURNAL_VERIFY_INTERNAL_H

#include "journal/inspect.h"
#include "journal/state.h"
#include "journal/verify.h"

#define REPAIR "`patchbay journal repair`, with the daemon stopped"

struct verify {
	const char *path;
	verify_say *say;
	void *ctx;
	struct verify_sums *sums;
	struct inspect_log events, quarantine;
	struct state_survey state;
	bool has_state;
	struct buf what, means;
};

/* Says what stands in `what` and `means`, and counts it. file, from, to, todo: as in struct verify_fault. */
void verify_tell(struct verify *, bool damage, const char *file, uint64_t from, uint64_t to, const char *todo);

/* ---- verify_state.c */

int verify_survey(struct verify *, struct err *err); /* looks at state.db. -1: it cannot be opened */
void verify_state(struct verify *);                  /* against the events, which have been read */
/* Adds to `means` which sinks had, or may have had, a delivery to come from there. */
void verify_add_owed(struct verify *, uint64_t number, uint64_t from, uint64_t to);

#endif
