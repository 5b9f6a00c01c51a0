/* state_survey.c - looks at a database that may be damaged, being written, or of an earlier version: without the
 * daemon's assumptions, and without changing anything. */
#include "journal/state_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void note(struct state_survey *s, const char *what)
{
	if (s->trouble.n < 4096)
		buf_addf(&s->trouble, "%s%s", s->trouble.n ? "\n" : "", what);
	s->readable = false;
}

/* Calls back for each row; what cannot be read is noted. */
static void rows(struct state_survey *s, sqlite3 *db, const char *sql,
		 void (*each)(struct state_survey *, sqlite3_stmt *))
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW)
			each(s, q);
	}
	if (rc != SQLITE_DONE)
		note(s, sqlite3_errmsg(db));
	sqlite3_finalize(q);
}

static void take_version(struct state_survey *s, sqlite3_stmt *q)
{
	s->version = sqlite3_column_int(q, 0);
}

static void take_check(struct state_survey *s, sqlite3_stmt *q)
{
	if (strcmp(state_text(q, 0), "ok") != 0)
		note(s, state_text(q, 0));
}

static void take_sink(struct state_survey *s, sqlite3_stmt *q)
{
	s->sinks = xrealloc(s->sinks, (s->n_sinks + 1) * sizeof *s->sinks);
	s->sinks[s->n_sinks++] = (struct state_survey_sink){ .name = xstrdup(state_text(q, 0)),
							     .cursor = state_pos(q, 1),
							     .kept = sqlite3_column_int(q, 2) };
}

static size_t find_sink(const struct state_survey *s, const char *name)
{
	size_t i = 0;
	while (i < s->n_sinks && strcmp(s->sinks[i].name, name) != 0)
		i++;
	return i;
}

static void take_parked(struct state_survey *s, sqlite3_stmt *q)
{
	size_t i = find_sink(s, state_text(q, 0));
	struct journal_pos at = state_pos(q, 1);
	if (i == s->n_sinks)
		return;
	if ((s->n_parked & (s->n_parked - 1)) == 0)
		s->parked = xrealloc(s->parked, (s->n_parked ? s->n_parked * 2 : 1) * sizeof *s->parked);
	s->parked[s->n_parked++] = (struct state_survey_parked){ .sink = i, .at = at, .id = state_id(q, 2) };
	struct state_survey_sink *sink = &s->sinks[i];
	if (!sink->parked++ || journal_pos_cmp(at, sink->oldest_parked) < 0)
		sink->oldest_parked = at;
}

static void take_ended(struct state_survey *s, sqlite3_stmt *q)
{
	size_t i = find_sink(s, state_text(q, 0));
	if (i == s->n_sinks)
		return;
	*(sqlite3_column_int(q, 1) == JOURNAL_DEAD ? &s->sinks[i].dead : &s->sinks[i].skipped) =
		(uint64_t)sqlite3_column_int64(q, 2);
}

static void take_counts(struct state_survey *s, sqlite3_stmt *q)
{
	s->batches = (uint64_t)sqlite3_column_int64(q, 0);
	s->attempts = (uint64_t)sqlite3_column_int64(q, 1);
}

static void take_polled(struct state_survey *s, sqlite3_stmt *q)
{
	s->polled = (uint64_t)sqlite3_column_int64(q, 0);
}

int state_survey(const char *path, bool deep, struct state_survey *ret, struct err *err)
{
	sqlite3 *db = NULL;
	*ret = (struct state_survey){ .readable = true };
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		err_set(err, "cannot open %s: %s", path, sqlite3_errmsg(db));
		sqlite3_close(db);
		return -1;
	}
	sqlite3_busy_timeout(db, 5000);
	rows(ret, db, "PRAGMA user_version", take_version);
	if (ret->readable && deep)
		rows(ret, db, "PRAGMA integrity_check(20)", take_check);
	/* In one transaction, so that what is parked fits the cursors. */
	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	if (ret->version > 0) {
		rows(ret, db, "SELECT name, cursor, kept FROM sinks ORDER BY name", take_sink);
		rows(ret, db, "SELECT sink, pos, id FROM exceptions WHERE due IS NOT NULL ORDER BY sink, pos",
		     take_parked);
		rows(ret, db,
		     "SELECT sink, state, count(*) FROM exceptions WHERE state >= 3 AND due IS NULL GROUP BY 1, 2",
		     take_ended);
		rows(ret, db, "SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM attempts)", take_counts);
	}
	if (ret->version >= 3)
		rows(ret, db, "SELECT count(*) FROM polled", take_polled);
	sqlite3_close(db);
	return 0;
}

struct journal_pos state_survey_owed(const struct state_survey_sink *s)
{
	return s->parked && journal_pos_cmp(s->oldest_parked, s->cursor) < 0 ? s->oldest_parked : s->cursor;
}

void state_survey_free(struct state_survey *s)
{
	for (size_t i = 0; i < s->n_sinks; i++)
		free(s->sinks[i].name);
	free(s->sinks);
	free(s->parked);
	buf_free(&s->trouble);
	*s = (struct state_survey){ 0 };
}
