/* state.c - see state.h: opening, sinks, retention. One connection behind one mutex: settling is a few short statements
 * a batch. */
#include "journal/state_internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define STATE_VERSION 5

/* Positions are packed into one integer: segment << 32 | offset. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS sinks(name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, checkpoint BLOB NOT NULL,"
	" kept INTEGER NOT NULL, trouble INTEGER NOT NULL DEFAULT 0," /* since when; 0: none */
	" not_before INTEGER NOT NULL DEFAULT 0,"
	" died INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;" /* dead letters, ever, without Patchbay's own events */
	/* done: offsets of the delivered, as varints of their differences / 8 */
	"CREATE TABLE IF NOT EXISTS batches(sink TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" at INTEGER NOT NULL, done BLOB NOT NULL, PRIMARY KEY(sink, first)) WITHOUT ROWID;"
	/* due: NULL when it is not owed any more */
	"CREATE TABLE IF NOT EXISTS exceptions(sink TEXT NOT NULL, pos INTEGER NOT NULL, id BLOB NOT NULL,"
	" state INTEGER NOT NULL, attempts INTEGER NOT NULL, first INTEGER NOT NULL, at INTEGER NOT NULL, due INTEGER,"
	" class TEXT, why TEXT NOT NULL, subject INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(sink, pos)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS due ON exceptions(sink, due) WHERE due IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS subjects ON exceptions(sink, subject, due) WHERE due IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS ended ON exceptions(state, at) WHERE state >= 3;" /* dead, skipped */
	"CREATE TABLE IF NOT EXISTS attempts(id BLOB NOT NULL, sink TEXT NOT NULL, number INTEGER NOT NULL,"
	" pos INTEGER NOT NULL, at INTEGER NOT NULL, took INTEGER NOT NULL, result TEXT NOT NULL, why TEXT NOT NULL,"
	" PRIMARY KEY(id, sink, number, at)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS attempts_pos ON attempts(pos);"
	"CREATE TABLE IF NOT EXISTS recovered(request BLOB PRIMARY KEY, event BLOB NOT NULL, at INTEGER NOT NULL) "
	"WITHOUT ROWID;"
	/* key, data: the hashes of a record's head; log_end: the log's, with that record in it */
	"CREATE TABLE IF NOT EXISTS polled(key BLOB PRIMARY KEY, data BLOB NOT NULL, seen INTEGER NOT NULL,"
	" log_end INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS polled_end ON polled(log_end);"
	"CREATE INDEX IF NOT EXISTS polled_seen ON polled(seen);"
	/* requests that a plugin crashed with, which are in quarantine */
	"CREATE TABLE IF NOT EXISTS crashed(request BLOB PRIMARY KEY, source TEXT NOT NULL, plugin TEXT NOT NULL,"
	" at INTEGER NOT NULL, count INTEGER NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;"
	/* what parts of the daemon remember across restarts, each under its name */
	"CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = " STATE_STRING(STATE_VERSION);
static const char from_version_1[] = "ALTER TABLE exceptions ADD COLUMN subject INTEGER NOT NULL DEFAULT 0;"
				     "ALTER TABLE sinks ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0;"
				     "ALTER TABLE sinks ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0";
static const char from_version_4[] = "ALTER TABLE sinks ADD COLUMN died INTEGER NOT NULL DEFAULT 0";

/* ---- Opening */

static int get_version(struct state *s, const char *path, int *ret, struct err *err)
{
	sqlite3_stmt *q = state_prepare(s, "PRAGMA user_version", NULL);
	bool got = state_step(q) == SQLITE_ROW;
	*ret = got ? sqlite3_column_int(q, 0) : 0;
	state_reset(q);
	if (got)
		return 0;
	return err_set(err,
		       "%s cannot be read: %s; put a copy of it back, or move it away to start without it (sinks then "
		       "begin at "
		       "the newest event)",
		       path, sqlite3_errmsg(s->db));
}

static int set_up(struct state *s, int version, struct err *err)
{
	if (state_execute(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", err, "set up") != 0)
		return -1;
	if (version == STATE_VERSION)
		return 0;
	int result = state_begin(s, err);
	if (result == 0 && version == 1)
		result = state_execute(s, from_version_1, err, "bring its tables up to date");
	if (result == 0 && version >= 1) /* nothing that was there had to change in between */
		result = state_execute(s, from_version_4, err, "bring its tables up to date");
	if (result == 0)
		result = state_execute(s, schema, err, "create its tables");
	return state_end(s, result, err);
}

int state_version_known(void)
{
	return STATE_VERSION;
}

static int refuse_newer(const char *path, int version, struct err *err)
{
	if (version <= STATE_VERSION)
		return 0;
	return err_set(err,
		       "%s has version %d, this program knows %d: it was written by a newer Patchbay; install that one "
		       "again. Nothing was changed",
		       path, version, STATE_VERSION);
}

int state_known(const char *path, struct err *err)
{
	struct state s = { 0 };
	struct err ignored;
	int version = 0;
	if (sqlite3_open_v2(path, &s.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(s.db, 5000);
		get_version(&s, path, &version, &ignored);
	}
	for (size_t i = 0; i < s.n; i++)
		sqlite3_finalize(s.statements[i].q);
	free(s.statements);
	sqlite3_close(s.db);
	return refuse_newer(path, version, err);
}

struct state *state_open(const char *path, enum state_use use, struct err *err)
{
	struct state *s = xcalloc(1, sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	static const int flags[] = { [STATE_OWN] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				     [STATE_READ] = SQLITE_OPEN_READONLY,
				     [STATE_OPERATE] = SQLITE_OPEN_READWRITE };
	int version;
	if (sqlite3_open_v2(path, &s->db, flags[use] | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		err_set(err, "cannot open %s: %s", path, sqlite3_errmsg(s->db));
		goto fail;
	}
	sqlite3_busy_timeout(s->db, 5000);
	if (get_version(s, path, &version, err) != 0)
		goto fail;
	if (refuse_newer(path, version, err) != 0)
		goto fail;
	if (use != STATE_OWN && version < STATE_VERSION) {
		err_set(err,
			"%s has version %d, this program needs %d; `patchbay serve` of this version brings it up to "
			"date when it starts",
			path, version, STATE_VERSION);
		goto fail;
	}
	if (use == STATE_OWN && set_up(s, version, err) != 0)
		goto fail;
	if (use == STATE_OPERATE && state_execute(s, "PRAGMA synchronous=FULL", err, "set up") != 0)
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
	for (size_t i = 0; i < s->n; i++)
		sqlite3_finalize(s->statements[i].q);
	free(s->statements);
	sqlite3_close(s->db);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint64_t state_changed(struct state *s)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "PRAGMA data_version", NULL);
	uint64_t version = state_step(q) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return version;
}

/* ---- Sinks */

static int get_sink(struct state *s, const char *sink, struct journal_sink *ret, struct err *err)
{
	sqlite3_stmt *q =
		state_prepare(s, "SELECT cursor, checkpoint, trouble, not_before FROM sinks WHERE name = ?1", sink);
	int result = 0;
	if (state_step(q) == SQLITE_ROW) {
		ret->cursor = state_pos(q, 0);
		ret->checkpoint.n = (size_t)sqlite3_column_bytes(q, 1);
		ret->trouble_ms = sqlite3_column_int64(q, 2);
		ret->not_before_ms = sqlite3_column_int64(q, 3);
		if (ret->checkpoint.n) {
			char *copy = xmalloc(ret->checkpoint.n);
			memcpy(copy, sqlite3_column_blob(q, 1), ret->checkpoint.n);
			ret->checkpoint.p = copy;
		}
	} else {
		result = state_fail(s, err, "read a sink");
	}
	state_reset(q);
	return result;
}

/* What was parked by a clock that was ahead must not wait until then. */
static int bring_to_now(struct state *s, const char *sink, int64_t now_ms, struct err *err)
{
	sqlite3_stmt *q = state_prepare(s,
					"UPDATE exceptions SET due = ?2, at = ?2, first = min(first, ?2)"
					" WHERE sink = ?1 AND due < " STATE_WAITS " AND at > ?2 + 60000",
					sink);
	state_bind(q, 2, now_ms);
	return state_run(s, q, err, "bring deliveries forward");
}

int state_sink_trouble(struct state *s, const char *sink, int64_t since_ms, int64_t not_before_ms, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "UPDATE sinks SET trouble = ?2, not_before = ?3 WHERE name = ?1", sink);
	state_bind(q, 2, since_ms);
	state_bind(q, 3, not_before_ms);
	int result = state_run(s, q, err, "note since when a sink is in trouble");
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_sink_open(struct state *s, const char *sink, struct journal_pos end, struct journal_sink *ret,
		    struct err *err)
{
	*ret = (struct journal_sink){ .cursor = end };
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(
		s, "INSERT OR IGNORE INTO sinks(name, cursor, checkpoint, kept) VALUES(?1, ?2, x'', 1)", sink);
	state_bind_pos(q, 2, end);
	int result = state_run(s, q, err, "add a sink");
	ret->fresh = result == 0 && sqlite3_changes(s->db) > 0;
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	if (result == 0)
		result = bring_to_now(s, sink, now_ms, err);
	if (result == 0)
		result = state_release_waiting(s, sink, now_ms, err);
	if (result == 0)
		result = get_sink(s, sink, ret, err);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* Writes only what is not so already: a start must succeed on a full disk. */
static int set_kept(struct state *s, const char *sink, bool kept, struct err *err)
{
	sqlite3_stmt *q = state_prepare(s, "UPDATE sinks SET kept = ?2 WHERE name = ?1 AND kept <> ?2", sink);
	state_bind(q, 2, kept);
	return state_run(s, q, err, "mark a sink");
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
	int rc = SQLITE_DONE, result = state_begin(s, err);
	sqlite3_stmt *all = result == 0 ? state_prepare(s, "SELECT name FROM sinks", NULL) : NULL;
	while (result == 0 && (rc = state_step(all)) == SQLITE_ROW)
		result = set_kept(s, state_text(all, 0), is_among(state_text(all, 0), sinks, n), err);
	if (result == 0 && rc != SQLITE_DONE)
		result = state_fail(s, err, "read sinks");
	state_reset(all);
	result = state_end(s, result, err);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- Retention */

static int one_position(struct state *s, const char *sql, struct journal_pos none, struct journal_pos *ret,
			struct err *err, const char *doing)
{
	int result = 0;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, sql, NULL);
	if (state_step(q) == SQLITE_ROW)
		*ret = sqlite3_column_type(q, 0) == SQLITE_NULL ? none : state_pos(q, 0);
	else
		result = state_fail(s, err, doing);
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_newest(struct state *s, struct journal_pos *ret, struct err *err)
{
	return one_position(s, "SELECT max(cursor) FROM sinks", (struct journal_pos){ 0, 0 }, ret, err,
			    "read the newest cursor");
}

int state_oldest_owed(struct state *s, struct journal_pos end, struct journal_pos *ret, struct err *err)
{
	return one_position(
		s,
		"SELECT min(p) FROM (SELECT min(cursor) AS p FROM sinks WHERE kept UNION ALL"
		" SELECT min(pos) FROM exceptions JOIN sinks ON name = sink WHERE due IS NOT NULL AND kept)",
		end, ret, err, "read the oldest owed");
}

int state_prune(struct state *s, struct journal_pos before, struct err *err)
{
	static const char *const statements[] = { "DELETE FROM batches WHERE last < ?1",
						  "DELETE FROM exceptions WHERE pos < ?1 AND due IS NULL",
						  "DELETE FROM attempts WHERE pos < ?1" };
	int result = 0;
	for (size_t i = 0; result == 0 && i < sizeof statements / sizeof *statements; i++) {
		pthread_mutex_lock(&s->lock);
		sqlite3_stmt *q = state_prepare(s, statements[i], NULL);
		state_bind_pos(q, 1, before);
		result = state_run(s, q, err, "prune");
		pthread_mutex_unlock(&s->lock);
	}
	return result;
}
