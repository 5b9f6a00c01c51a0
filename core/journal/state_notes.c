/* state_notes.c - what parts of the daemon remember across restarts, and how many dead letters each sink ever had. */
#include "journal/state_internal.h"

static int put_note(struct state *s, const struct journal_note *note, struct err *err)
{
	sqlite3_stmt *q = note->value.n
				  ? state_prepare(s,
						  "INSERT INTO notes(name, value) VALUES(?1, ?2) ON CONFLICT(name) "
						  "DO UPDATE SET value = ?2",
						  note->name)
				  : state_prepare(s, "DELETE FROM notes WHERE name = ?1", note->name);
	if (note->value.n)
		state_bind_str(q, 2, note->value);
	return state_run(s, q, err, "take a note");
}

int state_notes_put(struct state *s, const struct journal_note *v, size_t n, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	int result = state_begin(s, err);
	for (size_t i = 0; result == 0 && i < n; i++)
		result = put_note(s, &v[i], err);
	result = state_end(s, result, err);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_notes(struct state *s, void (*each)(void *ctx, const struct journal_note *), void *ctx, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "SELECT name, value FROM notes", NULL);
	int rc;
	while ((rc = state_step(q)) == SQLITE_ROW)
		each(ctx, &(struct journal_note){ state_text(q, 0), str_c(state_text(q, 1)) });
	int result = rc == SQLITE_DONE ? 0 : state_fail(s, err, "read notes");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_died(struct state *s, void (*each)(void *ctx, const char *sink, uint64_t died), void *ctx, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "SELECT name, died FROM sinks", NULL);
	int rc;
	while ((rc = state_step(q)) == SQLITE_ROW)
		each(ctx, state_text(q, 0), (uint64_t)sqlite3_column_int64(q, 1));
	int result = rc == SQLITE_DONE ? 0 : state_fail(s, err, "count dead letters");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}
