/* state_sql.c - short ways to run statements, see state_internal.h. */
#include "journal/state_internal.h"

#include "base/mem.h"

#include <string.h>

int state_fail(const struct state *s, struct err *err, const char *doing)
{
	return err_set(err, "journal state: cannot %s: %s", doing, sqlite3_errmsg(s->db));
}

int state_execute(struct state *s, const char *sql, struct err *err, const char *doing)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : state_fail(s, err, doing);
}

int state_begin(struct state *s, struct err *err)
{
	return state_execute(s, "BEGIN IMMEDIATE", err, "begin");
}

int state_end(struct state *s, int result, struct err *err)
{
	if (result == 0)
		result = state_execute(s, "COMMIT", err, "commit");
	if (result != 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

sqlite3_stmt *state_prepare(struct state *s, const char *sql, const char *sink)
{
	sqlite3_stmt *q = NULL;
	for (size_t i = 0; i < s->n && !q; i++)
		if (s->statements[i].sql == sql)
			q = s->statements[i].q;
	if (!q) {
		if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
			return NULL;
		if (s->n == s->room) {
			s->room = s->room ? s->room * 2 : 32;
			s->statements = xrealloc(s->statements, s->room * sizeof *s->statements);
		}
		s->statements[s->n].sql = sql;
		s->statements[s->n++].q = q;
	}
	if (sink)
		sqlite3_bind_text(q, 1, sink, -1, SQLITE_STATIC);
	return q;
}

void state_bind(sqlite3_stmt *q, int i, int64_t v)
{
	if (q)
		sqlite3_bind_int64(q, i, v);
}

void state_bind_pos(sqlite3_stmt *q, int i, struct journal_pos pos)
{
	state_bind(q, i, (int64_t)pos_pack(pos));
}

void state_bind_id(sqlite3_stmt *q, int i, const struct id *id)
{
	if (q)
		sqlite3_bind_blob(q, i, id->b, sizeof id->b, SQLITE_STATIC);
}

void state_bind_str(sqlite3_stmt *q, int i, patchbay_str v)
{
	if (q)
		sqlite3_bind_text(q, i, v.n ? v.p : "", (int)v.n, SQLITE_STATIC);
}

int state_step(sqlite3_stmt *q)
{
	return q ? sqlite3_step(q) : SQLITE_ERROR;
}

void state_reset(sqlite3_stmt *q)
{
	if (!q)
		return;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

int state_run(struct state *s, sqlite3_stmt *q, struct err *err, const char *doing)
{
	int result = state_step(q) == SQLITE_DONE ? 0 : state_fail(s, err, doing);
	state_reset(q);
	return result;
}

struct journal_pos state_pos(sqlite3_stmt *q, int column)
{
	return pos_unpack((uint64_t)sqlite3_column_int64(q, column));
}

struct id state_id(sqlite3_stmt *q, int column)
{
	struct id id = { { 0 } };
	const void *p = sqlite3_column_blob(q, column);
	if (p && sqlite3_column_bytes(q, column) == sizeof id.b)
		memcpy(id.b, p, sizeof id.b);
	return id;
}

const char *state_text(sqlite3_stmt *q, int column)
{
	const unsigned char *t = sqlite3_column_text(q, column);
	return t ? (const char *)t : "";
}
