/* state.c - see state.h. One connection behind one mutex: settling is a few short statements a batch. */
#include "journal/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define STATE_VERSION 1

/* Positions are packed into one integer: segment << 32 | offset. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS sinks(name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, checkpoint BLOB NOT NULL, kept INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS batches(sink TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL,"
	" done BLOB NOT NULL, PRIMARY KEY(sink, first)) WITHOUT ROWID;" /* done: offsets of the delivered, as varints of their differences / 8 */
	"CREATE TABLE IF NOT EXISTS exceptions(sink TEXT NOT NULL, pos INTEGER NOT NULL, id BLOB NOT NULL, state INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL, first INTEGER NOT NULL, at INTEGER NOT NULL, due INTEGER, class TEXT, why TEXT NOT NULL,"
	" PRIMARY KEY(sink, pos)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS due ON exceptions(sink, due) WHERE due IS NOT NULL;"
	"CREATE TABLE IF NOT EXISTS attempts(id BLOB NOT NULL, sink TEXT NOT NULL, number INTEGER NOT NULL, pos INTEGER NOT NULL, at INTEGER NOT NULL,"
	" took INTEGER NOT NULL, result TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY(id, sink, number, at)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS attempts_pos ON attempts(pos);";

struct state {
	pthread_mutex_t lock;
	sqlite3 *db; /* lock */
};

static struct journal_pos position(int64_t column)
{
	return pos_unpack((uint64_t)column);
}

static int fail(const struct state *s, struct err *err, const char *doing)
{
	return err_set(err, "journal state: cannot %s: %s", doing, sqlite3_errmsg(s->db));
}

static int exec(struct state *s, const char *sql, struct err *err, const char *doing)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(s, err, doing);
}

static sqlite3_stmt *prepare(struct state *s, const char *sql, const char *sink)
{
	sqlite3_stmt *q = NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK && sink)
		sqlite3_bind_text(q, 1, sink, -1, SQLITE_STATIC);
	return q;
}

/* Runs a statement that returns no rows. */
static int finish(struct state *s, sqlite3_stmt *q, struct err *err, const char *doing)
{
	int rc = q ? sqlite3_step(q) : SQLITE_ERROR;
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : fail(s, err, doing);
}

static void bind_str(sqlite3_stmt *q, int i, patchbay_str v)
{
	sqlite3_bind_text(q, i, v.n ? v.p : "", (int)v.n, SQLITE_STATIC);
}

static const char *text(sqlite3_stmt *q, int column)
{
	const unsigned char *t = sqlite3_column_text(q, column);
	return t ? (const char *)t : "";
}

struct state *state_open(const char *path, bool writable, struct err *err)
{
	struct state *s = xcalloc(1, sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	sqlite3_stmt *q = NULL;
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		err_set(err, "cannot open %s: %s", path, sqlite3_errmsg(s->db));
		goto fail;
	}
	sqlite3_busy_timeout(s->db, 5000);
	int version = -1;
	q = prepare(s, "PRAGMA user_version", NULL);
	if (q && sqlite3_step(q) == SQLITE_ROW)
		version = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	if (version == -1) {
		err_set(err, "%s cannot be read: %s; put a copy of it back, or move it away to start without it (sinks then begin at the "
		             "newest event)",
		        path, sqlite3_errmsg(s->db));
		goto fail;
	}
	if (version > STATE_VERSION) {
		err_set(err, "%s has version %d, this program knows %d: it was written by a newer Patchbay", path, version, STATE_VERSION);
		goto fail;
	}
	if (writable && (exec(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", err, "set up") != 0 ||
	                 exec(s, schema, err, "create its tables") != 0 ||
	                 (version != STATE_VERSION && exec(s, "PRAGMA user_version=1", err, "set its version") != 0)))
		goto fail;
	return s;
fail:
	state_close(s);
	return NULL;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int state_sink_open(struct state *s, const char *sink, struct journal_pos end, struct journal_sink *ret, struct err *err)
{
	*ret = (struct journal_sink){ .cursor = end };
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = prepare(s, "INSERT OR IGNORE INTO sinks VALUES(?1, ?2, x'', 1)", sink);
	sqlite3_bind_int64(q, 2, (int64_t)pos_pack(end));
	int result = finish(s, q, err, "add a sink");
	ret->fresh = result == 0 && sqlite3_changes(s->db) > 0;
	q = result == 0 ? prepare(s, "SELECT cursor, checkpoint FROM sinks WHERE name = ?1", sink) : NULL;
	if (q && sqlite3_step(q) == SQLITE_ROW) {
		ret->cursor = position(sqlite3_column_int64(q, 0));
		ret->checkpoint.n = (size_t)sqlite3_column_bytes(q, 1);
		if (ret->checkpoint.n) {
			char *copy = xmalloc(ret->checkpoint.n);
			memcpy(copy, sqlite3_column_blob(q, 1), ret->checkpoint.n);
			ret->checkpoint.p = copy;
		}
	} else if (result == 0) {
		result = fail(s, err, "read a sink");
	}
	sqlite3_finalize(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* Writes only what is not so already: a start must succeed on a full disk. */
static int set_kept(struct state *s, const char *sink, bool kept, struct err *err)
{
	sqlite3_stmt *q = prepare(s, "UPDATE sinks SET kept = ?2 WHERE name = ?1 AND kept <> ?2", sink);
	if (q)
		sqlite3_bind_int(q, 2, kept);
	return finish(s, q, err, "mark a sink");
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

int state_sinks_keep(struct state *s, const char *const *sinks, size_t n, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	int rc = SQLITE_ERROR, result = exec(s, "BEGIN IMMEDIATE", err, "begin");
	sqlite3_stmt *all = result == 0 ? prepare(s, "SELECT name FROM sinks", NULL) : NULL;
	while (result == 0 && all && (rc = sqlite3_step(all)) == SQLITE_ROW)
		result = set_kept(s, text(all, 0), is_among(text(all, 0), sinks, n), err);
	if (result == 0 && rc != SQLITE_DONE)
		result = fail(s, err, "read sinks");
	sqlite3_finalize(all);
	if (result == 0)
		result = exec(s, "COMMIT", err, "commit");
	if (result != 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- Settling */

static void add_varint(struct buf *b, uint64_t v)
{
	do {
		unsigned char byte = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		buf_add(b, &byte, 1);
		v >>= 7;
	} while (v);
}

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

/* One row for a run of first-time successes in one segment. */
static int put_batch(struct state *s, const char *sink, const struct journal_settled *v, size_t n, struct err *err)
{
	struct buf done = { 0 };
	uint64_t before = v[0].at.lo;
	for (size_t i = 0; i < n; i++) {
		add_varint(&done, (v[i].at.lo - before) / RECORD_ALIGN);
		before = v[i].at.lo;
	}
	sqlite3_stmt *q = prepare(s, "INSERT OR REPLACE INTO batches VALUES(?1, ?2, ?3, ?4, ?5)", sink);
	sqlite3_bind_int64(q, 2, (int64_t)pos_pack(v[0].at));
	sqlite3_bind_int64(q, 3, (int64_t)pos_pack(v[n - 1].at));
	sqlite3_bind_int64(q, 4, v[n - 1].at_ms);
	sqlite3_bind_blob(q, 5, done.p, (int)done.n, SQLITE_STATIC);
	int result = finish(s, q, err, "record a batch");
	buf_free(&done);
	return result;
}

static int put_exception(struct state *s, const char *sink, const struct journal_settled *v, struct err *err)
{
	sqlite3_stmt *q = prepare(s,
	                          "INSERT INTO exceptions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9) ON CONFLICT(sink, pos) DO UPDATE SET"
	                          " state = ?4, attempts = ?5, at = ?6, due = ?7, class = ?8, why = ?9",
	                          sink);
	sqlite3_bind_int64(q, 2, (int64_t)pos_pack(v->at));
	sqlite3_bind_blob(q, 3, v->id.b, sizeof v->id.b, SQLITE_STATIC);
	sqlite3_bind_int(q, 4, v->act);
	sqlite3_bind_int64(q, 5, v->attempt);
	sqlite3_bind_int64(q, 6, v->at_ms);
	if (v->act == JOURNAL_PARK)
		sqlite3_bind_int64(q, 7, v->due_ms);
	if (v->act == JOURNAL_DEAD)
		sqlite3_bind_text(q, 8, v->class_, -1, SQLITE_STATIC);
	bind_str(q, 9, v->why);
	return finish(s, q, err, "record an exception");
}

static int put_attempt(struct state *s, const char *sink, const struct journal_settled *v, struct err *err)
{
	static const char *const results[] = { [JOURNAL_DONE] = "done", [JOURNAL_PARK] = "retry", [JOURNAL_DEAD] = "dead", [JOURNAL_SKIP] = "skipped" };
	sqlite3_stmt *q = prepare(s, "INSERT OR REPLACE INTO attempts VALUES(?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8)", sink);
	sqlite3_bind_blob(q, 2, v->id.b, sizeof v->id.b, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, v->attempt);
	sqlite3_bind_int64(q, 4, (int64_t)pos_pack(v->at));
	sqlite3_bind_int64(q, 5, v->at_ms);
	sqlite3_bind_int64(q, 6, v->took_ms);
	sqlite3_bind_text(q, 7, results[v->act], -1, SQLITE_STATIC);
	bind_str(q, 8, v->act == JOURNAL_DONE ? STR("") : v->why);
	return finish(s, q, err, "record an attempt");
}

static bool plain(const struct journal_settled *v)
{
	return v->act == JOURNAL_DONE && !v->was_parked && v->attempt <= 1;
}

static int put_items(struct state *s, const char *sink, const struct journal_settled *v, size_t n, struct err *err)
{
	for (size_t i = 0, run; i < n; i += run) {
		run = 1;
		if (plain(&v[i])) {
			while (i + run < n && plain(&v[i + run]) && v[i + run].at.hi == v[i].at.hi && v[i + run].at.lo > v[i + run - 1].at.lo)
				run++;
			if (put_batch(s, sink, &v[i], run, err) != 0)
				return -1;
			continue;
		}
		if (put_exception(s, sink, &v[i], err) != 0 || put_attempt(s, sink, &v[i], err) != 0)
			return -1;
	}
	return 0;
}

int state_settle(struct state *s, const char *sink, const struct journal_pos *cursor, const struct journal_settled *v, size_t n,
                 const patchbay_str *checkpoint, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	int result = exec(s, "BEGIN IMMEDIATE", err, "begin");
	if (result == 0)
		result = put_items(s, sink, v, n, err);
	if (result == 0 && cursor) {
		sqlite3_stmt *q = prepare(s, "UPDATE sinks SET cursor = ?2 WHERE name = ?1", sink);
		sqlite3_bind_int64(q, 2, (int64_t)pos_pack(*cursor));
		result = finish(s, q, err, "move a cursor");
	}
	if (result == 0 && checkpoint) {
		sqlite3_stmt *q = prepare(s, "UPDATE sinks SET checkpoint = ?2 WHERE name = ?1", sink);
		sqlite3_bind_blob(q, 2, checkpoint->n ? checkpoint->p : "", (int)checkpoint->n, SQLITE_STATIC);
		result = finish(s, q, err, "store a checkpoint");
	}
	if (result == 0)
		result = exec(s, "COMMIT", err, "commit");
	if (result != 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_due(struct state *s, const char *sink, int64_t now_ms, struct journal_parked *ret, size_t max, int64_t *ret_next_ms,
              struct err *err)
{
	int n = 0, rc = SQLITE_ERROR;
	*ret_next_ms = INT64_MAX;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = prepare(s, "SELECT pos, id, attempts, first, due FROM exceptions WHERE sink = ?1 AND due IS NOT NULL ORDER BY due LIMIT ?2", sink);
	if (q)
		sqlite3_bind_int64(q, 2, (int64_t)max + 1);
	while (q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		int64_t due = sqlite3_column_int64(q, 4);
		if (due > now_ms || (size_t)n == max) {
			*ret_next_ms = due;
			rc = SQLITE_DONE;
			break;
		}
		struct journal_parked *p = &ret[n++];
		*p = (struct journal_parked){ .at = position(sqlite3_column_int64(q, 0)),
			                      .attempts = (uint32_t)sqlite3_column_int64(q, 2),
			                      .first_ms = sqlite3_column_int64(q, 3),
			                      .due_ms = due };
		if (sqlite3_column_bytes(q, 1) == sizeof p->id.b)
			memcpy(p->id.b, sqlite3_column_blob(q, 1), sizeof p->id.b);
	}
	if (rc != SQLITE_DONE)
		n = fail(s, err, "read what is due");
	sqlite3_finalize(q);
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- Asking */

static bool batch_has(sqlite3_stmt *q, uint64_t first, uint64_t at)
{
	const unsigned char *p = sqlite3_column_blob(q, 1), *end = p + sqlite3_column_bytes(q, 1);
	uint64_t pos = first, step;
	while (p < end && take_varint(&p, end, &step)) {
		pos += step * RECORD_ALIGN;
		if (pos >= at)
			return pos == at;
	}
	return false;
}

static int delivery_of(struct state *s, const char *sink, uint64_t cursor, uint64_t at, struct journal_delivery_state *d,
                       sqlite3_stmt **ret_row, struct err *err)
{
	sqlite3_stmt *q = prepare(s, "SELECT state, attempts, at, due, class, why FROM exceptions WHERE sink = ?1 AND pos = ?2", sink);
	if (!q)
		return fail(s, err, "read exceptions");
	*ret_row = q; /* the row's texts live as long as the statement */
	sqlite3_bind_int64(q, 2, (int64_t)at);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		static const enum journal_state states[] = { [JOURNAL_DONE] = JOURNAL_STATE_DONE, [JOURNAL_PARK] = JOURNAL_STATE_PARKED,
			                                     [JOURNAL_DEAD] = JOURNAL_STATE_DEAD, [JOURNAL_SKIP] = JOURNAL_STATE_SKIPPED };
		int act = sqlite3_column_int(q, 0);
		d->state = act >= JOURNAL_DONE && act <= JOURNAL_SKIP ? states[act] : JOURNAL_STATE_OWED;
		d->attempts = (uint32_t)sqlite3_column_int64(q, 1);
		d->at_ms = sqlite3_column_int64(q, 2);
		d->due_ms = sqlite3_column_int64(q, 3);
		d->class_ = text(q, 4);
		d->why = text(q, 5);
		return 0;
	}
	if (rc != SQLITE_DONE)
		return fail(s, err, "read exceptions");
	d->state = at < cursor ? JOURNAL_STATE_NOT_ROUTED : JOURNAL_STATE_OWED;
	q = prepare(s, "SELECT first, done, at FROM batches WHERE sink = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1", sink);
	if (!q)
		return fail(s, err, "read batches");
	sqlite3_bind_int64(q, 2, (int64_t)at);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW && batch_has(q, (uint64_t)sqlite3_column_int64(q, 0), at)) {
		d->state = JOURNAL_STATE_DONE;
		d->at_ms = sqlite3_column_int64(q, 2);
	}
	int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : fail(s, err, "read batches");
	sqlite3_finalize(q);
	return result;
}

int state_deliveries(struct state *s, struct journal_pos at, const struct id *id,
                     void (*each)(void *ctx, const struct journal_delivery_state *), void *ctx, struct err *err)
{
	(void)id;
	int result = 0, rc = SQLITE_ERROR;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *sinks = prepare(s, "SELECT name, cursor FROM sinks ORDER BY name", NULL), *row = NULL;
	while (result == 0 && sinks && (rc = sqlite3_step(sinks)) == SQLITE_ROW) {
		struct journal_delivery_state d = { .sink = text(sinks, 0), .class_ = "", .why = "" };
		result = delivery_of(s, d.sink, (uint64_t)sqlite3_column_int64(sinks, 1), pos_pack(at), &d, &row, err);
		if (result == 0)
			each(ctx, &d);
		sqlite3_finalize(row);
		row = NULL;
	}
	if (result == 0 && rc != SQLITE_DONE)
		result = fail(s, err, "read sinks");
	sqlite3_finalize(sinks);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_attempts(struct state *s, const struct id *id, void (*each)(void *ctx, const struct journal_attempt *), void *ctx,
                   struct err *err)
{
	int rc = SQLITE_ERROR;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = prepare(s, "SELECT sink, number, at, took, result, why FROM attempts WHERE id = ?1 ORDER BY at, sink, number", NULL);
	if (q)
		sqlite3_bind_blob(q, 1, id->b, sizeof id->b, SQLITE_STATIC);
	while (q && (rc = sqlite3_step(q)) == SQLITE_ROW)
		each(ctx, &(struct journal_attempt){ .sink = text(q, 0),
		                                     .number = (uint32_t)sqlite3_column_int64(q, 1),
		                                     .at_ms = sqlite3_column_int64(q, 2),
		                                     .took_ms = sqlite3_column_int64(q, 3),
		                                     .result = text(q, 4),
		                                     .why = text(q, 5) });
	int result = rc == SQLITE_DONE ? 0 : fail(s, err, "read attempts");
	sqlite3_finalize(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- Retention */

int state_newest(struct state *s, struct journal_pos *ret, struct err *err)
{
	int result = -1;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = prepare(s, "SELECT max(cursor) FROM sinks", NULL);
	if (q && sqlite3_step(q) == SQLITE_ROW) {
		*ret = position(sqlite3_column_int64(q, 0));
		result = 0;
	} else {
		fail(s, err, "read the newest cursor");
	}
	sqlite3_finalize(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_oldest_owed(struct state *s, struct journal_pos end, struct journal_pos *ret, struct err *err)
{
	int result = -1;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = prepare(s,
	                          "SELECT min(p) FROM (SELECT min(cursor) AS p FROM sinks WHERE kept UNION ALL"
	                          " SELECT min(pos) FROM exceptions JOIN sinks ON name = sink WHERE due IS NOT NULL AND kept)",
	                          NULL);
	if (q && sqlite3_step(q) == SQLITE_ROW) {
		*ret = sqlite3_column_type(q, 0) == SQLITE_NULL ? end : position(sqlite3_column_int64(q, 0));
		result = 0;
	} else {
		fail(s, err, "read the oldest owed");
	}
	sqlite3_finalize(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_prune(struct state *s, struct journal_pos before, struct err *err)
{
	static const char *const statements[] = { "DELETE FROM batches WHERE last < ?1", "DELETE FROM exceptions WHERE pos < ?1 AND due IS NULL",
		                                  "DELETE FROM attempts WHERE pos < ?1" };
	int result = 0;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; result == 0 && i < sizeof statements / sizeof *statements; i++) {
		sqlite3_stmt *q = prepare(s, statements[i], NULL);
		if (q)
			sqlite3_bind_int64(q, 1, (int64_t)pos_pack(before));
		result = finish(s, q, err, "prune");
	}
	pthread_mutex_unlock(&s->lock);
	return result;
}
