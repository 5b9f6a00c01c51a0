/* decide.h - what a commit consists of, and how each record of a ticket gets its share of it. */
#ifndef JOURNAL_DECIDE_H
#define JOURNAL_DECIDE_H

#include "journal/internal.h"

struct group { /* one log's share of a commit */
	struct buf bytes;
	struct journal_pos base;
	uint64_t salt;
};

struct commit {
	struct journal *j;
	struct group events, quarantine;
	struct buf scratch;
	struct { /* what is done to `unanswered` once the group is durable */
		struct id id;
		int64_t received_ns;
		enum { NOW_PENDING, NOW_ANSWERED } what;
	} * notes;
	size_t n_notes, room;
	struct { /* what the statistics gain once the group is durable */
		uint64_t appended, duplicates, malformed, refused, replayed;
	} count;
	bool unsure; /* whether something is a repeat could not be found out: `why` */
	struct err why;
};

/* Decides which of a ticket's events are new, puts what is to be written into the groups, and the outcome into the
 * ticket. Nothing of it counts before the group is durable. */
void decide(struct commit *, struct journal_ticket *);
/* Adds bytes of one record; returns where it will stand, packed. */
uint64_t group_put(struct group *, const void *p, size_t n);

#endif
