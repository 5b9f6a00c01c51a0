/* state_rescue.c - saves what can be read of a damaged database, and copies a sound one while it is used. */
#include "journal/state_internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(struct err *err, sqlite3 *db, const char *path, const char *doing)
{
	return err_set(err, "%s: cannot %s: %s", path, doing, sqlite3_errmsg(db));
}

/* ---- Rows that can be read */

/* "a, b, c" of those columns of a table that both have; those of the source may not be known any more, then all. */
static char *columns(sqlite3 *from, sqlite3 *to, const char *table, size_t *ret_n)
{
	struct buf list = { 0 };
	sqlite3_stmt *q = NULL, *known = NULL;
	*ret_n = 0;
	sqlite3_prepare_v2(to, "SELECT name FROM pragma_table_info(?1)", -1, &q, NULL);
	sqlite3_prepare_v2(from, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", -1, &known, NULL);
	sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
	while (state_step(q) == SQLITE_ROW) {
		bool there = true;
		if (known) {
			sqlite3_bind_text(known, 1, table, -1, SQLITE_STATIC);
			sqlite3_bind_text(known, 2, state_text(q, 0), -1, SQLITE_TRANSIENT);
			there = sqlite3_step(known) != SQLITE_DONE;
			sqlite3_reset(known);
		}
		if (there)
			buf_addf(&list, "%s\"%s\"", (*ret_n)++ ? ", " : "", state_text(q, 0));
	}
	sqlite3_finalize(q);
	sqlite3_finalize(known);
	char *text = xstrdup(list.n ? buf_cstr(&list) : "");
	buf_free(&list);
	return text;
}

static char *order_backward(sqlite3 *to, const char *table)
{
	struct buf list = { 0 };
	sqlite3_stmt *q = NULL;
	sqlite3_prepare_v2(to, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", -1, &q, NULL);
	sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
	while (state_step(q) == SQLITE_ROW)
		buf_addf(&list, "%s\"%s\" DESC", list.n ? ", " : " ORDER BY ", state_text(q, 0));
	sqlite3_finalize(q);
	char *text = xstrdup(list.n ? buf_cstr(&list) : "");
	buf_free(&list);
	return text;
}

/* Copies rows until one cannot be read. True: that were all. */
static bool copy_rows(sqlite3 *from, const char *select, sqlite3_stmt *insert, sqlite3 *to, uint64_t *ret_n)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(from, select, -1, &q, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(q); i++)
			sqlite3_bind_value(insert, i + 1, sqlite3_column_value(q, i));
		if (sqlite3_step(insert) == SQLITE_DONE) /* a row of garbage does not fit */
			*ret_n += (uint64_t)sqlite3_changes(to);
		sqlite3_reset(insert);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* What stands behind a damaged page is reached from the other end. */
static bool copy_table(sqlite3 *from, sqlite3 *to, const char *table, uint64_t *ret_n)
{
	size_t n;
	char *list = columns(from, to, table, &n), *order = order_backward(to, table);
	struct buf marks = { 0 };
	for (size_t i = 0; i < n; i++)
		buf_addf(&marks, "%s?%zu", i ? ", " : "", i + 1);
	char *put = xasprintf("INSERT OR IGNORE INTO \"%s\"(%s) VALUES(%s)", table, list, n ? buf_cstr(&marks) : "");
	char *forward = xasprintf("SELECT %s FROM \"%s\"", list, table),
	     *backward = xasprintf("SELECT %s FROM \"%s\"%s", list, table, order);
	sqlite3_stmt *insert = NULL;
	bool whole = sqlite3_prepare_v2(to, put, -1, &insert, NULL) == SQLITE_OK &&
		     copy_rows(from, forward, insert, to, ret_n);
	if (!whole && insert)
		copy_rows(from, backward, insert, to, ret_n);
	sqlite3_finalize(insert);
	buf_free(&marks);
	free(list);
	free(order);
	free(put);
	free(forward);
	free(backward);
	return whole;
}

static void copy_tables(sqlite3 *from, sqlite3 *to, struct state_rescue *ret)
{
	sqlite3_stmt *q = NULL;
	sqlite3_prepare_v2(to, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", -1,
			   &q, NULL);
	while (state_step(q) == SQLITE_ROW) {
		const char *table = state_text(q, 0);
		uint64_t *n = strcmp(table, "sinks") == 0        ? &ret->sinks
			      : strcmp(table, "batches") == 0    ? &ret->batches
			      : strcmp(table, "exceptions") == 0 ? &ret->exceptions
			      : strcmp(table, "attempts") == 0   ? &ret->attempts
								 : &ret->others;
		bool whole = copy_table(from, to, table, n);
		ret->unreadable += !whole;
		ret->sinks_whole |= whole && n == &ret->sinks;
		ret->exceptions_whole |= whole && n == &ret->exceptions;
	}
	sqlite3_finalize(q);
}

/* What is not plain success has attempts, too, of which the last says what became of it. Only a delivery that waits for
 * an earlier one of its subject may have none: so each sink goes once more through what is kept, from the first that it
 * is known to have looked at; what is on record as settled is passed over. */
static int rebuild_exceptions(sqlite3 *to, int64_t now_ms)
{
	static const char again[] =
		"INSERT OR IGNORE INTO exceptions(sink, pos, id, state, attempts, first, at, due, class, why, subject)"
		" SELECT sink, pos, id, CASE result WHEN 'done' THEN 1 WHEN 'dead' THEN 3 WHEN 'skipped' THEN 4 ELSE 2 "
		"END,"
		" number, at, at, CASE WHEN result IN ('done', 'dead', 'skipped') THEN NULL ELSE ?1 END,"
		" CASE result WHEN 'dead' THEN 'event' END, why, 0 FROM attempts AS a WHERE at ="
		" (SELECT max(at) FROM attempts AS b WHERE b.id = a.id AND b.sink = a.sink)"
		" AND (result <> 'failed' OR pos < (SELECT cursor FROM sinks WHERE name = a.sink))";
	static const char back[] = "UPDATE sinks SET cursor = min(cursor, coalesce((SELECT min(p) FROM (SELECT "
				   "min(first) AS p FROM batches WHERE"
				   " sink = name UNION ALL SELECT min(pos) FROM attempts WHERE sink = name)), cursor))";
	sqlite3_stmt *q = NULL;
	sqlite3_prepare_v2(to, again, -1, &q, NULL);
	state_bind(q, 1, now_ms);
	int rc = state_step(q);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE && sqlite3_exec(to, back, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static int add_sinks(sqlite3 *to, const char *const *sinks, size_t n, struct journal_pos start)
{
	static const char put[] = "INSERT OR IGNORE INTO sinks(name, cursor, checkpoint, kept) ";
	sqlite3_stmt *q = NULL;
	int rc = SQLITE_OK;
	char *others =
		xasprintf("%sSELECT sink, ?2, x'', 1 FROM (SELECT sink FROM batches UNION SELECT sink FROM exceptions"
			  " UNION SELECT sink FROM attempts)",
			  put);
	char *named = xasprintf("%sVALUES(?1, ?2, x'', 1)", put);
	for (size_t i = 0; i <= n && rc == SQLITE_OK; i++) {
		rc = sqlite3_prepare_v2(to, i == n ? others : named, -1, &q, NULL);
		if (i < n && rc == SQLITE_OK)
			sqlite3_bind_text(q, 1, sinks[i], -1, SQLITE_STATIC);
		state_bind_pos(q, 2, start);
		rc = state_step(q) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
		sqlite3_finalize(q);
		q = NULL;
	}
	free(others);
	free(named);
	return rc == SQLITE_OK ? 0 : -1;
}

int state_rescue(const char *from, const char *to, const char *const *sinks, size_t n_sinks, struct journal_pos start,
		 struct state_rescue *ret, struct err *err)
{
	sqlite3 *source = NULL;
	*ret = (struct state_rescue){ 0 };
	struct state *s = state_open(to, STATE_OWN, err);
	if (!s)
		return -1;
	sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			NULL); /* its log wants to be read, too */
	int result = state_begin(s, err);
	if (result == 0)
		copy_tables(source, s->db, ret);
	if (result == 0 && !ret->exceptions_whole && rebuild_exceptions(s->db, clock_wall_ns() / NS_PER_MS) != 0)
		result = fail(err, s->db, to, "work out what was put aside");
	if (result == 0 && !ret->sinks_whole && add_sinks(s->db, sinks, n_sinks, start) != 0)
		result = fail(err, s->db, to, "add sinks");
	result = state_end(s, result, err);
	/* It is moved without the log beside it, which closing alone may leave full. */
	if (result == 0 && sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
		result = fail(err, s->db, to, "write it");
	sqlite3_close(source);
	state_close(s);
	return result;
}

int state_bury(const char *path, const char *sink, const struct journal_pos *v, size_t n, int64_t now_ms,
	       const char *why, struct err *err)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *q = NULL;
	int result = 0;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db,
			       "UPDATE exceptions SET state = 3, due = NULL, class = 'event', why = ?3, at = ?4"
			       " WHERE sink = ?1 AND pos = ?2",
			       -1, &q, NULL) != SQLITE_OK)
		result = fail(err, db, path, "give up deliveries");
	for (size_t i = 0; result == 0 && i < n; i++) {
		sqlite3_bind_text(q, 1, sink, -1, SQLITE_STATIC);
		state_bind_pos(q, 2, v[i]);
		sqlite3_bind_text(q, 3, why, -1, SQLITE_STATIC);
		state_bind(q, 4, now_ms);
		if (sqlite3_step(q) != SQLITE_DONE)
			result = fail(err, db, path, "give up a delivery");
		sqlite3_reset(q);
	}
	sqlite3_finalize(q);
	if (result == 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		result = fail(err, db, path, "give up deliveries");
	sqlite3_close(db);
	return result;
}

/* ---- A copy */

static int sync_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result = fd != -1 && fsync(fd) == 0 ? 0 : err_set(err, "cannot sync %s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return result;
}

int state_copy(const char *from, const char *to, struct err *err)
{
	sqlite3 *source = NULL, *copy = NULL;
	int result = 0, rc = SQLITE_OK;
	if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		result = fail(err, source, from, "open it");
	else if (sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
		 SQLITE_OK)
		result = fail(err, copy, to, "make it");
	if (result == 0) {
		sqlite3_busy_timeout(source, 5000);
		sqlite3_backup *b = sqlite3_backup_init(copy, "main", source, "main");
		/* In one step: then nobody writes in between, and it is of one moment; readers and writers of the
		 * original go on. */
		rc = b ? sqlite3_backup_step(b, -1) : SQLITE_ERROR;
		if (b)
			sqlite3_backup_finish(b);
		if (rc != SQLITE_DONE)
			result = err_set(err, "%s: cannot copy it: %s", from,
					 rc == SQLITE_ERROR ? sqlite3_errmsg(copy) : sqlite3_errstr(rc));
	}
	sqlite3_close(copy);
	sqlite3_close(source);
	return result == 0 ? sync_file(to, err) : result;
}
