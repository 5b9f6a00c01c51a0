/* state_dead.c - dead letters, and what an operator does about them. */
#include "journal/state_internal.h"

#include "base/arena.h"
#include "base/mem.h"

#include <stdlib.h>

/* ---- Listing. The lock is not held while the caller looks: a page is copied at a time. */

#define PAGE 500

struct page {
	struct journal_dead v[PAGE];
	int n;
	struct arena texts;
};

struct place { /* behind which the next page begins */
	int64_t at_ms;
	char *sink; /* in `texts` of a page */
	struct journal_pos pos;
};

static const char *copy(struct arena *arena, const char *text)
{
	return arena_copy(arena, str_c(text)).p;
}

static int read_page(struct state *s, const struct journal_dead_filter *f, const struct place *after, struct page *page,
		     struct err *err)
{
	int rc, act = f->skipped ? JOURNAL_SKIP : JOURNAL_DEAD;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q =
		state_prepare(s,
			      "SELECT sink, pos, id, class, why, attempts, first, at FROM exceptions INDEXED BY ended"
			      /* a damaged name that is no text stands behind every text: no page would be the last */
			      " WHERE state >= 3 AND state = ?2 AND (at, sink, pos) > (?3, ?4, ?5) AND at <= ?6"
			      " AND typeof(sink) = 'text'"
			      " AND (?1 IS NULL OR sink = ?1) AND (?7 IS NULL OR class = ?7)"
			      " ORDER BY at, sink, pos LIMIT " STATE_STRING(PAGE),
			      f->sink);
	state_bind(q, 2, act);
	state_bind(q, 3, after->at_ms);
	state_bind_str(q, 4, str_c(after->sink));
	state_bind_pos(q, 5, after->pos);
	state_bind(q, 6, f->to_ms ? f->to_ms : INT64_MAX);
	if (f->class_)
		state_bind_str(q, 7, str_c(f->class_));
	for (page->n = 0; (rc = state_step(q)) == SQLITE_ROW && page->n < PAGE; page->n++)
		page->v[page->n] =
			(struct journal_dead){ .sink = copy(&page->texts, state_text(q, 0)),
					       .at = state_pos(q, 1),
					       .id = state_id(q, 2),
					       .state = f->skipped ? JOURNAL_STATE_SKIPPED : JOURNAL_STATE_DEAD,
					       .class_ = copy(&page->texts, state_text(q, 3)),
					       .why = copy(&page->texts, state_text(q, 4)),
					       .attempts = (uint32_t)sqlite3_column_int64(q, 5),
					       .first_ms = sqlite3_column_int64(q, 6),
					       .at_ms = sqlite3_column_int64(q, 7) };
	int result = rc == SQLITE_DONE ? 0 : state_fail(s, err, "read dead letters");
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int state_dead(struct state *s, const struct journal_dead_filter *f,
	       bool (*each)(void *ctx, const struct journal_dead *), void *ctx, struct err *err)
{
	struct page *page = xcalloc(1, sizeof *page);
	struct place after = { .at_ms = f->from_ms, .sink = xstrdup("") };
	int result;
	bool more = true;
	while ((result = read_page(s, f, &after, page, err)) == 0 && page->n && more) {
		const struct journal_dead *last = &page->v[page->n - 1];
		free(after.sink);
		after = (struct place){ last->at_ms, xstrdup(last->sink), last->at };
		for (int i = 0; i < page->n && more; i++)
			more = each(ctx, &page->v[i]);
		arena_reset(&page->texts);
	}
	free(after.sink);
	arena_fini(&page->texts);
	free(page);
	return result;
}

int state_sink_counts(struct state *s, const char *sink, struct journal_sink_counts *ret, struct err *err)
{
	int result = -1;
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = state_prepare(
		s,
		"SELECT (SELECT count(*) FROM exceptions WHERE sink = ?1 AND due IS NOT NULL),"
		" (SELECT count(*) FROM exceptions INDEXED BY ended WHERE state >= 3 AND state = ?2 AND sink = ?1),"
		" (SELECT count(*) FROM exceptions INDEXED BY ended WHERE state >= 3 AND state = ?3 AND sink = ?1)",
		sink);
	state_bind(q, 2, JOURNAL_DEAD);
	state_bind(q, 3, JOURNAL_SKIP);
	if (state_step(q) == SQLITE_ROW) {
		*ret = (struct journal_sink_counts){ .parked = (uint64_t)sqlite3_column_int64(q, 0),
						     .dead = (uint64_t)sqlite3_column_int64(q, 1),
						     .skipped = (uint64_t)sqlite3_column_int64(q, 2) };
		result = 0;
	} else {
		state_fail(s, err, "count deliveries");
	}
	state_reset(q);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- Replaying */

static int get_cursor(struct state *s, const char *sink, uint64_t *ret, struct err *err)
{
	sqlite3_stmt *q = state_prepare(s, "SELECT cursor FROM sinks WHERE name = ?1", sink);
	int rc = state_step(q), result = 0;
	if (rc == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(q, 0);
	else if (rc == SQLITE_DONE)
		result = err_set(err, "nothing was ever owed to a sink called %s; check its name", sink);
	else
		result = state_fail(s, err, "read a sink");
	state_reset(q);
	return result;
}

static int put_replay(struct state *s, const char *sink, const struct journal_replay *v, uint32_t attempts,
		      int64_t now_ms, patchbay_str why, struct err *err)
{
	sqlite3_stmt *q =
		state_prepare(s,
			      "INSERT INTO exceptions(sink, pos, id, state, attempts, first, at, due, class, why)"
			      " VALUES(?1, ?2, ?3, ?4, 0, ?5, ?5, ?6, NULL, ?7) ON CONFLICT(sink, pos) DO UPDATE SET"
			      " state = ?4, attempts = 0, first = ?5, at = ?5, due = ?6, class = NULL, why = ?7",
			      sink);
	state_bind_pos(q, 2, v->at);
	state_bind_id(q, 3, &v->id);
	state_bind(q, 4, JOURNAL_PARK);
	state_bind(q, 5, now_ms);
	state_bind(q, 6, v->due_ms);
	state_bind_str(q, 7, why);
	if (state_run(s, q, err, "park a delivery again") != 0)
		return -1;
	struct state_attempt a = { .number = attempts, .at_ms = now_ms, .result = "replayed", .why = why };
	return state_put_attempt(s, sink, v->at, &v->id, &a, err);
}

int state_replay(struct state *s, const char *sink, const struct journal_replay *v, size_t n, int64_t now_ms,
		 patchbay_str why, struct err *err)
{
	uint64_t cursor = 0;
	pthread_mutex_lock(&s->lock);
	int result = state_begin(s, err);
	if (result == 0)
		result = get_cursor(s, sink, &cursor, err);
	for (size_t i = 0; result == 0 && i < n; i++) {
		struct journal_delivery_state d;
		sqlite3_stmt *row;
		result = state_delivery(s, sink, cursor, pos_pack(v[i].at), &d, &row, err);
		state_reset(row);
		if (result != 0 || d.state == JOURNAL_STATE_OWED) /* the sink comes to it anyway */
			continue;
		uint32_t attempts = d.state == JOURNAL_STATE_DONE && d.attempts == 0 ? 1 : d.attempts;
		result = put_replay(s, sink, &v[i], attempts, now_ms, why, err);
	}
	result = state_end(s, result, err);
	pthread_mutex_unlock(&s->lock);
	return result;
}
