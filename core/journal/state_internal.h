/* state_internal.h - what the files of the state share: the connection, and short ways to run statements. Callers hold
 * the lock. */
#ifndef JOURNAL_STATE_INTERNAL_H
#define JOURNAL_STATE_INTERNAL_H

#include "journal/internal.h"

#include <sqlite3.h>

struct state {
	pthread_mutex_t lock;
	sqlite3 *db; /* lock */
	struct {
		const char *sql; /* a literal, told apart by its address */
		sqlite3_stmt *q;
	} * statements; /* lock: prepared once, used again */
	size_t n, room;
};

#define STATE_WAITS "9223372036854775807" /* JOURNAL_WAITS, in SQL */

/* ---- state_sql.c */

int state_fail(const struct state *, struct err *, const char *doing);
int state_execute(struct state *, const char *sql, struct err *, const char *doing); /* that returns no rows */
int state_begin(struct state *, struct err *);
/* Commits if result is 0, else rolls back; returns what came of it. */
int state_end(struct state *, int result, struct err *);

/* ?1 is the sink, unless that is NULL. NULL on failure, which all of the following take. */
sqlite3_stmt *state_prepare(struct state *, const char *sql, const char *sink);
void state_bind(sqlite3_stmt *, int i, int64_t);
void state_bind_pos(sqlite3_stmt *, int i, struct journal_pos);
void state_bind_id(sqlite3_stmt *, int i, const struct id *);
void state_bind_str(sqlite3_stmt *, int i, patchbay_str); /* must live until the statement has run */
int state_step(sqlite3_stmt *);
void state_reset(sqlite3_stmt *);
/* Runs a statement that returns no rows, and resets it. */
int state_run(struct state *, sqlite3_stmt *, struct err *, const char *doing);

struct journal_pos state_pos(sqlite3_stmt *, int column);
struct id state_id(sqlite3_stmt *, int column);
const char *state_text(sqlite3_stmt *, int column); /* never NULL */

/* A batch spans at most this many bytes of one segment, so that it is known how far before a position to look for those
 * that may hold it. Earlier versions wrote longer ones, which do not overlap: there the nearest is the one. */
#define STATE_BATCH_SPAN 1048576
#define STATE_STRING_(x) #x
#define STATE_STRING(x) STATE_STRING_(x)
/* Which batches of sink ?1 may hold a position of at least ?2. */
#define STATE_BATCHES_FROM                                                                                             \
	"sink = ?1 AND last >= ?2 AND first >= coalesce(min(?2 - " STATE_STRING(                                       \
		STATE_BATCH_SPAN) ", (SELECT max(first) FROM batches WHERE sink = ?1 AND first <= ?2)), ?2 "           \
				  "- " STATE_STRING(STATE_BATCH_SPAN) ")"
/* What became of one delivery. *ret_row is for state_reset() when its texts have been used. */
int state_delivery(struct state *, const char *sink, uint64_t cursor, uint64_t at, struct journal_delivery_state *ret,
		   sqlite3_stmt **ret_row, struct err *);
struct state_attempt {
	uint32_t number;
	int64_t at_ms, took_ms;
	const char *result;
	patchbay_str why;
};
int state_put_attempt(struct state *, const char *sink, struct journal_pos at, const struct id *,
		      const struct state_attempt *, struct err *);
/* Of what waits for its turn in a subject, the oldest becomes due, unless another of that subject is on its way. */
int state_release_waiting(struct state *, const char *sink, int64_t now_ms, struct err *);

#endif
