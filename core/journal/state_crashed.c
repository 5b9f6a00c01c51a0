/* state_crashed.c - quarantined requests that a plugin crashed with. */
#include "journal/state_internal.h"

int state_crashed_add(struct state *s, const struct journal_crashed *crashed, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s,
					"INSERT OR IGNORE INTO crashed(request, source, plugin, at, count, why)"
					" VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
					NULL);
	state_bind_id(q, 1, &crashed->id);
	state_bind_str(q, 2, str_c(crashed->source));
	state_bind_str(q, 3, str_c(crashed->plugin));
	state_bind(q, 4, crashed->at_ms);
	state_bind(q, 5, crashed->count);
	state_bind_str(q, 6, str_c(crashed->why));
	int result = state_run(s, q, err, "note that a plugin crashed with a request");
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_crashed(struct state *s, bool (*each)(void *ctx, const struct journal_crashed *), void *ctx, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	/* what was admitted since is over */
	sqlite3_stmt *q = state_prepare(s,
					"SELECT request, source, plugin, at, count, why FROM crashed"
					" WHERE request NOT IN (SELECT request FROM recovered) ORDER BY at",
					NULL);
	int rc = SQLITE_DONE;
	bool go_on = true;
	while (go_on && (rc = state_step(q)) == SQLITE_ROW) {
		const struct journal_crashed crashed = { .id = state_id(q, 0),
							 .source = state_text(q, 1),
							 .plugin = state_text(q, 2),
							 .at_ms = sqlite3_column_int64(q, 3),
							 .count = (uint32_t)sqlite3_column_int64(q, 4),
							 .why = state_text(q, 5) };
		go_on = each(ctx, &crashed);
	}
	int result = !go_on || rc == SQLITE_DONE ? 0 : state_fail(s, err, "read what plugins crashed with");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}
