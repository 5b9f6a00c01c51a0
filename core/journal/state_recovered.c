/* state_recovered.c - quarantined requests that were admitted after all. */
#include "journal/state_internal.h"

int state_recovered_add(struct state *s, const struct id *request, const struct id *event, int64_t at_ms,
			struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q =
		state_prepare(s, "INSERT OR IGNORE INTO recovered(request, event, at) VALUES(?1, ?2, ?3)", NULL);
	state_bind_id(q, 1, request);
	state_bind_id(q, 2, event);
	state_bind(q, 3, at_ms);
	int result = state_run(s, q, err, "note that a request was admitted");
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_recovered(struct state *s, const struct id *request, struct id *ret_event, int64_t *ret_at_ms,
		    struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "SELECT event, at FROM recovered WHERE request = ?1", NULL);
	state_bind_id(q, 1, request);
	int rc = state_step(q), result = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW) {
		*ret_event = state_id(q, 0);
		*ret_at_ms = sqlite3_column_int64(q, 1);
	} else if (rc != SQLITE_DONE) {
		result = state_fail(s, err, "read what was admitted");
	}
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_prune_recovered(struct state *s, int64_t before_ms, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "DELETE FROM recovered WHERE at < ?1", NULL);
	state_bind(q, 1, before_ms);
	int result = state_run(s, q, err, "forget what was admitted");
	q = state_prepare(s, "DELETE FROM crashed WHERE at < ?1", NULL);
	state_bind(q, 1, before_ms);
	if (result == 0)
		result = state_run(s, q, err, "forget what plugins crashed with");
	pthread_mutex_unlock(&s->lock);
	return result;
}
