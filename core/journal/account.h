/* account.h - how large a journal is, and why: by part, by source, and by sink that holds it up. Reads only, beside a
 * running daemon, too. */
#ifndef JOURNAL_ACCOUNT_H
#define JOURNAL_ACCOUNT_H

#include "journal/journal.h"

struct account_source {
	char *name; /* "": notes about others, such as of answers */
	uint64_t records, bytes, quarantine_records, quarantine_bytes;
};

struct account_sink {
	char *name;
	bool kept; /* the retention waits for it */
	uint64_t parked, dead;
	struct journal_pos oldest; /* what it owes, or has not come to; the end: nothing */
	uint64_t bytes;            /* from there on */
	int64_t received_ns;       /* when that came; 0: it owes nothing */
};

struct account {
	uint64_t events_bytes, index_bytes, quarantine_bytes, state_bytes;
	uint64_t segments, events;
	uint64_t unreadable;          /* bytes: see `patchbay journal check` */
	int64_t oldest_ns, newest_ns; /* received; 0: nothing is there */
	uint64_t finished_bytes;      /* of segments in which nothing is owed: these may go */
	uint64_t week_bytes;          /* of the last seven days */
	int64_t now_ns;
	struct account_source *sources; /* largest first */
	size_t n_sources;
	struct account_sink *sinks; /* the one that holds up most first */
	size_t n_sinks;
};

/* Free it in any case. */
int account_journal(const char *path, struct account *, struct err *err);
void account_free(struct account *);

#endif
