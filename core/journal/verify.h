/* verify.h - reads everything in a journal's folder, and says what is damaged there and what that means. Changes
 * nothing; beside a running daemon, too. */
#ifndef JOURNAL_VERIFY_H
#define JOURNAL_VERIFY_H

#include "journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct verify_fault {      /* texts are good until the callback returns */
	bool damage;       /* else it is only worth knowing */
	const char *file;  /* below the journal's folder: "events/0000000a.seg" */
	uint64_t from, to; /* bytes of that file; 0, 0: the file as a whole */
	const char *what;  /* what is wrong */
	const char *means; /* what it means for events and deliveries */
	const char *todo;  /* "" = nothing */
};

struct verify_sums {
	bool running; /* a daemon had the journal, at the beginning or at the end */
	uint64_t segments, records, events, bytes;
	uint64_t quarantine_segments, quarantine_records, quarantine_bytes;
	int state_version; /* 0: there is none */
	uint64_t sinks, parked, dead;
	uint64_t damages, notes;
};

typedef void verify_say(void *ctx, const struct verify_fault *);
/* 0: read all of it, see sums; -1: it cannot be read at all, err. */
int verify_journal(const char *path, verify_say *say, void *ctx, struct verify_sums *, struct err *err);

#endif
