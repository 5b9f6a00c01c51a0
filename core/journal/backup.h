/* backup.h - a copy of a journal, made while its daemon runs, and brought up to date later. */
#ifndef JOURNAL_BACKUP_H
#define JOURNAL_BACKUP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct backup_sums {
	uint64_t copied, linked, kept; /* segments: new or grown, by hard link, there already */
	uint64_t removed;              /* which the journal has pruned since */
	uint64_t bytes;                /* of the events and the quarantine of the copy */
};

/* Makes `to` a consistent copy of the journal at `path`: state.db as it is at one moment, and every event that it tells
 * of. `to` is new, empty, or an earlier copy of the same journal; it stays a usable copy at every moment in between,
 * and is not one that a daemon runs with. link: finished segments by hard link where that can be: they are never
 * written to again, but a damaged block is damaged in both. -1: err. */
int backup_journal(const char *path, const char *to, bool link, struct backup_sums *, struct err *err);

#endif
