/* state_ask.c - what is on record about deliveries: what is due, what is settled, what happened to an event. */
#include "journal/state_internal.h"

#include "base/mem.h"

#include <stdlib.h>

int state_due(struct state *s, const char *sink, int64_t now_ms, struct journal_parked *ret, size_t max,
	      int64_t *ret_next_ms, struct err *err)
{
	int n = 0, rc;
	*ret_next_ms = INT64_MAX;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q =
		state_prepare(s,
			      "SELECT pos, id, attempts, first, due, subject FROM exceptions WHERE sink = ?1 AND"
			      " due < " STATE_WAITS " ORDER BY due, pos LIMIT ?2",
			      sink);
	state_bind(q, 2, (int64_t)max + 1);
	while ((rc = state_step(q)) == SQLITE_ROW) {
		int64_t due = sqlite3_column_int64(q, 4);
		if (due > now_ms || (size_t)n == max) {
			*ret_next_ms = due;
			rc = SQLITE_DONE;
			break;
		}
		ret[n++] = (struct journal_parked){ .at = state_pos(q, 0),
						    .id = state_id(q, 1),
						    .attempts = (uint32_t)sqlite3_column_int64(q, 2),
						    .subject = (uint64_t)sqlite3_column_int64(q, 5),
						    .first_ms = sqlite3_column_int64(q, 3),
						    .due_ms = due };
	}
	if (rc != SQLITE_DONE)
		n = state_fail(s, err, "read what is due");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return n;
}

int state_subject_owed(struct state *s, const char *sink, uint64_t subject, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(
		s, "SELECT 1 FROM exceptions WHERE sink = ?1 AND subject = ?2 AND due IS NOT NULL LIMIT 1", sink);
	state_bind(q, 2, (int64_t)subject);
	int rc = state_step(q);
	int result = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : state_fail(s, err, "read what a subject is owed");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- What is settled */

static bool take_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		unsigned char byte = *(*p)++;
		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* The next position of a batch: *p goes through `done`, and *at is the one before; at first, `first`. */
static bool batch_next(const unsigned char **p, const unsigned char *end, uint64_t *at)
{
	uint64_t step;
	if (*p >= end || !take_varint(p, end, &step))
		return false;
	*at += step * RECORD_ALIGN;
	return true;
}

static bool batch_has(sqlite3_stmt *q, uint64_t wanted)
{
	uint64_t at = (uint64_t)sqlite3_column_int64(q, 0);
	const unsigned char *p = sqlite3_column_blob(q, 1), *end = p + sqlite3_column_bytes(q, 1);
	while (batch_next(&p, end, &at))
		if (at >= wanted)
			return at == wanted;
	return false;
}

struct positions {
	struct journal_pos *v;
	size_t n, room;
};

static void add_position(struct positions *list, struct journal_pos pos)
{
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->v = xrealloc(list->v, list->room * sizeof *list->v);
	}
	list->v[list->n++] = pos;
}

static int compare(const void *a, const void *b)
{
	return journal_pos_cmp(*(const struct journal_pos *)a, *(const struct journal_pos *)b);
}

static void sort(struct positions *list)
{
	size_t n = 0;
	if (list->n)
		qsort(list->v, list->n, sizeof *list->v, compare);
	for (size_t i = 0; i < list->n; i++)
		if (n == 0 || journal_pos_cmp(list->v[n - 1], list->v[i]) != 0)
			list->v[n++] = list->v[i];
	list->n = n;
}

int state_settled_ahead(struct state *s, const char *sink, struct journal_pos from, struct journal_pos **ret, size_t *n,
			struct err *err)
{
	struct positions list = { 0 };
	uint64_t first = pos_pack(from);
	int rc, result = 0;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "SELECT pos FROM exceptions WHERE sink = ?1 AND pos >= ?2", sink);
	state_bind_pos(q, 2, from);
	while ((rc = state_step(q)) == SQLITE_ROW)
		add_position(&list, state_pos(q, 0));
	if (rc != SQLITE_DONE)
		result = state_fail(s, err, "read exceptions");
	state_reset(q);
	if (result == 0) {
		q = state_prepare(s, "SELECT first, done FROM batches WHERE " STATE_BATCHES_FROM, sink);
		state_bind_pos(q, 2, from);
		while ((rc = state_step(q)) == SQLITE_ROW) {
			uint64_t at = (uint64_t)sqlite3_column_int64(q, 0);
			const unsigned char *p = sqlite3_column_blob(q, 1), *end = p + sqlite3_column_bytes(q, 1);
			while (batch_next(&p, end, &at))
				if (at >= first)
					add_position(&list, pos_unpack(at));
		}
		if (rc != SQLITE_DONE)
			result = state_fail(s, err, "read batches");
		state_reset(q);
	}
	pthread_mutex_unlock(&s->lock);
	if (result != 0) {
		free(list.v);
		return -1;
	}
	sort(&list);
	*ret = list.v;
	*n = list.n;
	return 0;
}

/* ---- What happened to an event */

int state_delivery(struct state *s, const char *sink, uint64_t cursor, uint64_t at, struct journal_delivery_state *d,
		   sqlite3_stmt **ret_row, struct err *err)
{
	static const enum journal_state states[] = { [JOURNAL_DONE] = JOURNAL_STATE_DONE,
						     [JOURNAL_PARK] = JOURNAL_STATE_PARKED,
						     [JOURNAL_DEAD] = JOURNAL_STATE_DEAD,
						     [JOURNAL_SKIP] = JOURNAL_STATE_SKIPPED };
	sqlite3_stmt *q = state_prepare(
		s, "SELECT state, attempts, at, due, class, why FROM exceptions WHERE sink = ?1 AND pos = ?2", sink);
	state_bind(q, 2, (int64_t)at);
	*ret_row = q; /* the texts live as long as it is not reset */
	*d = (struct journal_delivery_state){ .sink = sink, .class_ = "", .why = "" };
	int rc = state_step(q);
	if (rc == SQLITE_ROW) {
		int act = sqlite3_column_int(q, 0);
		d->state = act >= JOURNAL_DONE && act <= JOURNAL_SKIP ? states[act] : JOURNAL_STATE_OWED;
		d->attempts = (uint32_t)sqlite3_column_int64(q, 1);
		d->at_ms = sqlite3_column_int64(q, 2);
		d->due_ms = sqlite3_column_int64(q, 3);
		d->class_ = state_text(q, 4);
		d->why = state_text(q, 5);
		return 0;
	}
	if (rc != SQLITE_DONE)
		return state_fail(s, err, "read exceptions");
	d->state = at < cursor ? JOURNAL_STATE_NOT_ROUTED : JOURNAL_STATE_OWED;
	q = state_prepare(s,
			  "SELECT first, done, at FROM batches WHERE first <= ?2 AND " STATE_BATCHES_FROM
			  " ORDER BY first DESC",
			  sink);
	state_bind(q, 2, (int64_t)at);
	while ((rc = state_step(q)) == SQLITE_ROW && !batch_has(q, at))
		;
	if (rc == SQLITE_ROW) {
		d->state = JOURNAL_STATE_DONE;
		d->at_ms = sqlite3_column_int64(q, 2);
	}
	int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : state_fail(s, err, "read batches");
	state_reset(q);
	return result;
}

int state_deliveries(struct state *s, struct journal_pos at, const struct id *id,
		     void (*each)(void *ctx, const struct journal_delivery_state *), void *ctx, struct err *err)
{
	(void)id;
	int result = 0, rc = SQLITE_DONE;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *sinks = state_prepare(s, "SELECT name, cursor FROM sinks ORDER BY name", NULL), *row;
	while (result == 0 && (rc = state_step(sinks)) == SQLITE_ROW) {
		struct journal_delivery_state d;
		result = state_delivery(s, state_text(sinks, 0), (uint64_t)sqlite3_column_int64(sinks, 1), pos_pack(at),
					&d, &row, err);
		if (result == 0)
			each(ctx, &d);
		state_reset(row);
	}
	if (result == 0 && rc != SQLITE_DONE)
		result = state_fail(s, err, "read sinks");
	state_reset(sinks);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_attempts(struct state *s, const struct id *id, void (*each)(void *ctx, const struct journal_attempt *),
		   void *ctx, struct err *err)
{
	int rc;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(
		s, "SELECT sink, number, at, took, result, why FROM attempts WHERE id = ?1 ORDER BY at, sink, number",
		NULL);
	state_bind_id(q, 1, id);
	while ((rc = state_step(q)) == SQLITE_ROW)
		each(ctx, &(struct journal_attempt){ .sink = state_text(q, 0),
						     .number = (uint32_t)sqlite3_column_int64(q, 1),
						     .at_ms = sqlite3_column_int64(q, 2),
						     .took_ms = sqlite3_column_int64(q, 3),
						     .result = state_text(q, 4),
						     .why = state_text(q, 5) });
	int result = rc == SQLITE_DONE ? 0 : state_fail(s, err, "read attempts");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_failing(struct state *s, const char *sink, struct journal_failing *ret, struct err *err)
{
	int result = 0;
	*ret = (struct journal_failing){ 0 };
	pthread_mutex_lock(&s->lock);
	/* state = 1: JOURNAL_DONE. A success of a first attempt stands in a batch only. */
	sqlite3_stmt *q =
		state_prepare(s,
			      "WITH owed(pos) AS (SELECT min(cursor, coalesce((SELECT min(pos) FROM exceptions WHERE "
			      "sink = ?1 AND due IS NOT"
			      " NULL), cursor)) FROM sinks WHERE name = ?1),"
			      " last AS (SELECT id, at, why FROM attempts WHERE sink = ?1 AND result = 'failed' AND "
			      "pos >= (SELECT pos FROM"
			      " owed) ORDER BY at DESC LIMIT 1),"
			      " newest(at) AS (SELECT at FROM batches WHERE sink = ?1 ORDER BY first DESC LIMIT 100)"
			      " SELECT id, at, why FROM last WHERE NOT EXISTS (SELECT 1 FROM newest WHERE newest.at > "
			      "last.at) AND NOT EXISTS"
			      " (SELECT 1 FROM exceptions WHERE sink = ?1 AND state = 1 AND exceptions.at > last.at)",
			      sink);
	int rc = state_step(q);
	if (rc == SQLITE_ROW) {
		*ret = (struct journal_failing){ .id = state_id(q, 0),
						 .at_ms = sqlite3_column_int64(q, 1),
						 .why = xstrdup(state_text(q, 2)) };
		result = 1;
	} else if (rc != SQLITE_DONE) {
		result = state_fail(s, err, "read whether a sink works");
	}
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}
