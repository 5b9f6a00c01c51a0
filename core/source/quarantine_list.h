/* quarantine_list.h - the quarantined requests of one source, oldest first: those that were refused stand in a log of
 * their own, which is read backward, those that were not understood among the events. Only where they stand is kept in
 * memory. */
#ifndef SOURCE_QUARANTINE_LIST_H
#define SOURCE_QUARANTINE_LIST_H

#include "journal/journal.h"

struct quarantine_place {
	struct id id;
	int64_t received_ns;
	struct journal_pos at; /* among the events; or, of a refused one, a cursor behind which it is the next */
	bool refused;
};

struct quarantine_list {
	struct quarantine_place *v;
	size_t n, room;
};

/* What cannot be read is passed over. `is_over` (may be NULL) is asked now and then; true: stop. */
void quarantine_list_fill(struct quarantine_list *, struct journal *, struct journal_reader *, const char *source,
			  bool (*is_over)(void *ctx), void *ctx);
void quarantine_list_free(struct quarantine_list *);

/* The record is the reader's until its next call. False: it has been pruned meanwhile. */
bool quarantine_list_read(const struct quarantine_place *, struct journal_reader *, struct journal_record *ret);

#endif
