/* state_polled.c - what polled items were when they were last seen, for as long as they are seen: dedupe remembers a
 * day or so, and a poll brings everything again, however old it is.
 *
 * The table runs behind the events: it is written after they are durable. So that it never says of an item that it
 * still is what it was, a row is removed before the item's next state is committed. Whatever fails in between leaves
 * something to be delivered again, and nothing left out. */
#include "journal/state_internal.h"

#define MS_PER_DAY INT64_C(86400000)
#define CHUNK 256u /* rows a transaction: sinks settle through the same lock */

static bool is_remembered(const struct record_head *head)
{
	return head->kind == JOURNAL_EVENT && !(head->flags & (JOURNAL_FLAG_RELEASED | JOURNAL_FLAG_LATE)) &&
	       (head->dedupe == PATCHBAY_DEDUPE_KEY || head->dedupe == PATCHBAY_DEDUPE_LATEST);
}

static void bind_hash(sqlite3_stmt *q, int i, const struct hash128 *hash)
{
	if (q)
		sqlite3_bind_blob(q, i, hash, sizeof *hash, SQLITE_STATIC);
}

/* data: zero for PATCHBAY_DEDUPE_KEY */
static int ask_one(struct state *s, const struct record_head *head, bool *ret, struct err *err)
{
	sqlite3_stmt *q = state_prepare(s, "SELECT data = ?2 FROM polled WHERE key = ?1", NULL);
	bind_hash(q, 1, &head->key);
	bind_hash(q, 2, &head->data);
	int rc = state_step(q);
	*ret = rc == SQLITE_ROW && sqlite3_column_int(q, 0);
	int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : state_fail(s, err, "read what was polled");
	state_reset(q);
	if (rc != SQLITE_ROW || *ret)
		return result;
	q = state_prepare(s, "DELETE FROM polled WHERE key = ?1", NULL);
	bind_hash(q, 1, &head->key);
	return state_run(s, q, err, "forget what a polled item was");
}

static int note_one(struct state *s, const struct record_head *head, struct journal_pos end, int64_t now_ms,
		    struct err *err)
{
	sqlite3_stmt *q =
		state_prepare(s,
			      "INSERT INTO polled(key, data, seen, log_end) VALUES(?1, ?2, ?3, ?5) ON CONFLICT"
			      " DO UPDATE SET data = ?2, seen = ?3, log_end = iif(data = ?2, log_end, ?5)"
			      " WHERE data <> ?2 OR seen < ?4",
			      NULL);
	bind_hash(q, 1, &head->key);
	bind_hash(q, 2, &head->data);
	state_bind(q, 3, now_ms);
	state_bind(q, 4, now_ms - STATE_POLLED_EXACT_DAYS * MS_PER_DAY);
	state_bind_pos(q, 5, end);
	return state_run(s, q, err, "note what was polled");
}

int state_polled_ask(struct state *s, const struct buf *records, bool *ret, struct err *err)
{
	int result = 0;
	for (size_t at = 0, i = 0; result == 0 && at < records->n;) {
		pthread_mutex_lock(&s->lock);
		result = state_begin(s, err);
		for (unsigned n = 0; result == 0 && n < CHUNK && at < records->n; n++, i++) {
			const struct record_head *head = (const void *)(records->p + at);
			ret[i] = false;
			if (is_remembered(head))
				result = ask_one(s, head, &ret[i], err);
			at += head->size;
		}
		result = state_end(s, result, err);
		pthread_mutex_unlock(&s->lock);
	}
	return result;
}

int state_polled_note(struct state *s, const struct buf *records, struct journal_pos end, int64_t now_ms,
		      struct err *err)
{
	int result = 0;
	for (size_t at = 0; result == 0 && at < records->n;) {
		pthread_mutex_lock(&s->lock);
		result = state_begin(s, err);
		for (unsigned n = 0; result == 0 && n < CHUNK && at < records->n; n++) {
			const struct record_head *head = (const void *)(records->p + at);
			if (is_remembered(head))
				result = note_one(s, head, end, now_ms, err);
			at += head->size;
		}
		result = state_end(s, result, err);
		pthread_mutex_unlock(&s->lock);
	}
	return result;
}

int state_polled_cut(struct state *s, struct journal_pos end, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(s, "DELETE FROM polled WHERE log_end > ?1", NULL);
	state_bind_pos(q, 1, end);
	int result = state_run(s, q, err, "forget what was polled and is lost");
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_prune_polled(struct state *s, int64_t now_ms, struct err *err)
{
	int result = 0;
	for (int removed = 1; result == 0 && removed;) {
		pthread_mutex_lock(&s->lock);
		sqlite3_stmt *q = state_prepare(s,
						"DELETE FROM polled WHERE key IN (SELECT key FROM polled WHERE"
						" seen < ?1 LIMIT 256)",
						NULL);
		state_bind(q, 1, now_ms - STATE_POLLED_DAYS * MS_PER_DAY);
		result = state_run(s, q, err, "forget what is not polled any more");
		removed = sqlite3_changes(s->db);
		pthread_mutex_unlock(&s->lock);
	}
	return result;
}
