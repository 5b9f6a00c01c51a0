/* state_settle.c - one durable step of a sink: what became of deliveries, its cursor, its checkpoint. */
#include "journal/state_internal.h"

#include "base/mem.h"

#include <stdlib.h>

static void add_varint(struct buf *b, uint64_t v)
{
	do {
		unsigned char byte = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		buf_add(b, &byte, 1);
		v >>= 7;
	} while (v);
}

/* One row for a run of first-time successes in one segment. Runs of several settlings may interleave; of one that
 * begins where another does, the first is on record already. */
static int put_batch(struct state *s, const char *sink, const struct journal_settled *v, size_t n, struct err *err)
{
	int result = 0, added = 0;
	struct buf done = { 0 };
	for (; result == 0 && !added && n; v++, n--) {
		uint64_t before = v[0].at.lo;
		done.n = 0;
		for (size_t i = 0; i < n; i++) {
			add_varint(&done, (v[i].at.lo - before) / RECORD_ALIGN);
			before = v[i].at.lo;
		}
		sqlite3_stmt *q = state_prepare(
			s, "INSERT OR IGNORE INTO batches(sink, first, last, at, done) VALUES(?1, ?2, ?3, ?4, ?5)",
			sink);
		state_bind_pos(q, 2, v[0].at);
		state_bind_pos(q, 3, v[n - 1].at);
		state_bind(q, 4, v[n - 1].at_ms);
		if (q)
			sqlite3_bind_blob(q, 5, done.p, (int)done.n, SQLITE_STATIC);
		result = state_run(s, q, err, "record a batch");
		added = sqlite3_changes(s->db);
	}
	buf_free(&done);
	return result;
}

static int put_exception(struct state *s, const char *sink, const struct journal_settled *v, struct err *err)
{
	sqlite3_stmt *q = state_prepare(
		s,
		"INSERT INTO exceptions(sink, pos, id, state, attempts, first, at, due, class, why, subject)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(sink, pos) DO UPDATE SET"
		" state = ?4, attempts = max(attempts, ?5), at = ?6, due = ?7, class = ?8, why = ?9,"
		" subject = iif(?10, ?10, subject)",
		sink);
	state_bind_pos(q, 2, v->at);
	state_bind_id(q, 3, &v->id);
	state_bind(q, 4, v->act);
	state_bind(q, 5, v->attempt);
	state_bind(q, 6, v->at_ms);
	if (v->act == JOURNAL_PARK)
		state_bind(q, 7, v->due_ms == JOURNAL_WAITS && !v->subject ? v->at_ms : v->due_ms);
	if (v->act == JOURNAL_DEAD)
		state_bind_str(q, 8, str_c(v->class_));
	state_bind_str(q, 9, v->why);
	state_bind(q, 10, (int64_t)v->subject);
	return state_run(s, q, err, "record an exception");
}

int state_put_attempt(struct state *s, const char *sink, struct journal_pos at, const struct id *id,
		      const struct state_attempt *a, struct err *err)
{
	/* a number may be there several times, and twice within a millisecond, which then counts as two */
	for (int64_t at_ms = a->at_ms;; at_ms++) {
		sqlite3_stmt *q = state_prepare(s,
						"INSERT OR IGNORE INTO attempts(id, sink, number, pos, at, took, "
						"result, why) VALUES(?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8)",
						sink);
		state_bind_id(q, 2, id);
		state_bind(q, 3, a->number);
		state_bind_pos(q, 4, at);
		state_bind(q, 5, at_ms);
		state_bind(q, 6, a->took_ms);
		state_bind_str(q, 7, str_c(a->result));
		state_bind_str(q, 8, a->why);
		if (state_run(s, q, err, "record an attempt") != 0)
			return -1;
		if (sqlite3_changes(s->db))
			return 0;
	}
}

static int put_settled_attempt(struct state *s, const char *sink, const struct journal_settled *v, struct err *err)
{
	static const char *const results[] = { [JOURNAL_DONE] = "done",
					       [JOURNAL_PARK] = "retry",
					       [JOURNAL_DEAD] = "dead",
					       [JOURNAL_SKIP] = "skipped",
					       [JOURNAL_NOTE] = "failed" };
	struct state_attempt a = {
		.number = v->attempt, .at_ms = v->at_ms, .took_ms = v->took_ms, .result = results[v->act], .why = v->why
	};
	return state_put_attempt(s, sink, v->at, &v->id, &a, err);
}

static bool waits(const struct journal_settled *v)
{
	return v->act == JOURNAL_PARK && v->due_ms == JOURNAL_WAITS;
}

static bool plain(const struct journal_settled *v)
{
	return v->act == JOURNAL_DONE && !v->was_parked && v->attempt <= 1 && !v->why.n;
}

/* May b stand behind a in one batch, which begins with `first`? */
static bool follows(const struct journal_settled *first, const struct journal_settled *a,
		    const struct journal_settled *b)
{
	return plain(b) && b->at.hi == first->at.hi && b->at.lo > a->at.lo &&
	       b->at.lo - first->at.lo <= STATE_BATCH_SPAN;
}

static int put_items(struct state *s, const char *sink, const struct journal_settled *v, size_t n, struct err *err)
{
	for (size_t i = 0, run; i < n; i += run) {
		run = 1;
		if (plain(&v[i])) {
			while (i + run < n && follows(&v[i], &v[i + run - 1], &v[i + run]))
				run++;
			if (put_batch(s, sink, &v[i], run, err) != 0)
				return -1;
			continue;
		}
		if (v[i].act != JOURNAL_NOTE && put_exception(s, sink, &v[i], err) != 0)
			return -1;
		if (!waits(&v[i]) && /* to wait is no attempt */
		    put_settled_attempt(s, sink, &v[i], err) != 0)
			return -1;
	}
	return 0;
}

/* ---- Taking turns within a subject */

static int release_subject(struct state *s, const char *sink, int64_t subject, int64_t now_ms, struct err *err)
{
	sqlite3_stmt *q =
		state_prepare(s,
			      "UPDATE exceptions SET due = ?3, first = iif(attempts, first, ?3) WHERE sink = ?1 AND "
			      "pos = (SELECT pos FROM exceptions"
			      " WHERE sink = ?1 AND subject = ?2 AND due = " STATE_WAITS " ORDER BY pos LIMIT 1)"
			      " AND NOT EXISTS (SELECT 1 FROM exceptions WHERE sink = ?1 AND subject = ?2"
			      " AND due < " STATE_WAITS ")",
			      sink);
	state_bind(q, 2, subject);
	state_bind(q, 3, now_ms);
	return state_run(s, q, err, "let the next of a subject go");
}

/* Whose turn it is, is decided when all items are on record: one that waits may come together with the one it waits
 * for. */
static int release_next(struct state *s, const char *sink, const struct journal_settled *v, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		bool ended = v[i].was_parked &&
			     (v[i].act == JOURNAL_DONE || v[i].act == JOURNAL_DEAD || v[i].act == JOURNAL_SKIP);
		if (!ended && !waits(&v[i]))
			continue;
		sqlite3_stmt *q = state_prepare(s, "SELECT subject FROM exceptions WHERE sink = ?1 AND pos = ?2", sink);
		state_bind_pos(q, 2, v[i].at);
		int rc = state_step(q);
		int64_t subject = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
		int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : state_fail(s, err, "read a subject");
		state_reset(q);
		if (result != 0 || (subject && release_subject(s, sink, subject, v[i].at_ms, err) != 0))
			return -1;
	}
	return 0;
}

int state_release_waiting(struct state *s, const char *sink, int64_t now_ms, struct err *err)
{
	int64_t *subjects = NULL;
	size_t n = 0, room = 0;
	int rc;
	sqlite3_stmt *q = state_prepare(
		s, "SELECT DISTINCT subject FROM exceptions WHERE sink = ?1 AND due = " STATE_WAITS, sink);
	while ((rc = state_step(q)) == SQLITE_ROW) {
		if (n == room) {
			room = room ? room * 2 : 64;
			subjects = xrealloc(subjects, room * sizeof *subjects);
		}
		subjects[n++] = sqlite3_column_int64(q, 0);
	}
	int result = rc == SQLITE_DONE ? 0 : state_fail(s, err, "read what waits");
	state_reset(q);
	if (result == 0 && n) {
		result = state_begin(s, err);
		for (size_t i = 0; result == 0 && i < n; i++)
			result = release_subject(s, sink, subjects[i], now_ms, err);
		result = state_end(s, result, err);
	}
	free(subjects);
	return result;
}

/* How many dead letters there ever were: never less, whatever is replayed or pruned. */
static int count_dead(struct state *s, const char *sink, const struct journal_settled *v, size_t n, struct err *err)
{
	int64_t died = 0;
	for (size_t i = 0; i < n; i++)
		died += v[i].act == JOURNAL_DEAD && !id_is_own(&v[i].id);
	if (died == 0)
		return 0;
	sqlite3_stmt *q = state_prepare(s, "UPDATE sinks SET died = died + ?2 WHERE name = ?1", sink);
	state_bind(q, 2, died);
	return state_run(s, q, err, "count dead letters");
}

int state_settle(struct state *s, const char *sink, const struct journal_pos *cursor, const struct journal_settled *v,
		 size_t n, const patchbay_str *checkpoint, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	int result = state_begin(s, err);
	if (result == 0)
		result = put_items(s, sink, v, n, err);
	if (result == 0)
		result = release_next(s, sink, v, n, err);
	if (result == 0)
		result = count_dead(s, sink, v, n, err);
	if (result == 0 && cursor) {
		sqlite3_stmt *q = state_prepare(s, "UPDATE sinks SET cursor = ?2 WHERE name = ?1", sink);
		state_bind_pos(q, 2, *cursor);
		result = state_run(s, q, err, "move a cursor");
	}
	if (result == 0 && checkpoint) {
		sqlite3_stmt *q = state_prepare(s, "UPDATE sinks SET checkpoint = ?2 WHERE name = ?1", sink);
		if (q)
			sqlite3_bind_blob(q, 2, checkpoint->n ? checkpoint->p : "", (int)checkpoint->n, SQLITE_STATIC);
		result = state_run(s, q, err, "store a checkpoint");
	}
	result = state_end(s, result, err);
	pthread_mutex_unlock(&s->lock);
	return result;
}
