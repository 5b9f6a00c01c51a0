/* import.h - takes records of another journal into this one, as they were: ids, times, dedupe keys. Nobody else has the
 * journal meanwhile. */
#ifndef JOURNAL_IMPORT_H
#define JOURNAL_IMPORT_H

#include "journal/journal.h"

struct import;

struct import_order {
	const char *path;         /* made if need be */
	uint64_t retention_bytes; /* which the journal's files are sized by */
	bool deliver;             /* owed to sinks, like what is new; else to none of those that there are */
	const char *const *sinks; /* deliver: those of the configuration; new ones begin with what is imported */
	size_t n_sinks;
};

struct import_sums {
	uint64_t imported, quarantined, notes; /* events and repeats; refused requests; answers */
	uint64_t there, known;                 /* left out: that id is there; deliver: that key is, as another event */
	uint64_t not_routed;                   /* rows that say so, for sinks that are behind */
};

struct import *import_open(const struct import_order *, struct err *err);
/* Becomes durable with later ones, or at the end. After a failure nothing but import_close() may be called. */
int import_add(struct import *, const struct journal_record *, struct err *err);
/* Whatever came before, the journal is closed and the memory given back. -1: err. */
int import_close(struct import *, bool flush, struct import_sums *, struct err *err);

#endif
