/* settle.c - what a sink did becomes durable: outcomes, checkpoint, and how far everything is settled. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "base/mem.h"

#define LAZY_RECORDS 1000 /* progress over events of other sinks is settled this often, */
#define LAZY_MS 500       /* or after this time */
#define RETRY_MS 100
#define RETRY_MAX_MS 5000

struct journal_settled *settle_add(struct worker *w)
{
	struct settlement *list = &w->settlement;
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		list->v = xrealloc(list->v, list->room * sizeof(*list->v));
	}
	struct journal_settled *settled = &list->v[list->n++];
	*settled = (struct journal_settled){ .why = { "", 0 } };
	return settled;
}

void settle_tell_dead(struct worker *w, const struct id *event, const char *class_, patchbay_str why)
{
	const struct log_about about = worker_about(w, event);
	log_about_limited(&w->buried, LOG_LEVEL_WARNING, &about,
			  "sink %s: an event is a dead letter now (%s): %.*s; `patchbay explain` tells all about it",
			  w->sink->name, class_, STR_ARG(why));
}

static void forget(struct worker *w)
{
	w->settlement.n = 0;
	arena_reset(&w->settlement_texts);
}

/* Everything before it is settled, or parked. */
static struct journal_pos safe_cursor(const struct worker *w)
{
	struct journal_pos safe = w->read;
	if (w->must_reread && journal_pos_cmp(w->again, safe) < 0)
		safe = w->again;
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (lane && lane->job == LANE_ACT && lane->batch.fresh && !lane_is(lane, LANE_FREE) &&
		    journal_pos_cmp(lane->batch.start, safe) < 0)
			safe = lane->batch.start;
	}
	return safe;
}

static void moved(struct worker *w, struct journal_pos cursor)
{
	w->cursor = cursor;
	if (journal_pos_cmp(cursor, w->read) == 0)
		w->unsettled = 0;
	ahead_drop_before(&w->ahead, cursor);
}

static void note_done(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->settlement.n; i++) {
		const struct journal_settled *settled = &w->settlement.v[i];
		w->stats.done += settled->act == JOURNAL_DONE;
		w->stats.dead += settled->act == JOURNAL_DEAD;
		w->stats.skipped += settled->act == JOURNAL_SKIP;
		w->stats.parked += settled->act == JOURNAL_PARK && !settled->was_parked;
		if (settled->act == JOURNAL_PARK) {
			w->has_parked = true;
			w->next_due_ms = settled->due_ms < w->next_due_ms ? settled->due_ms : w->next_due_ms;
		} else if (settled->was_parked && settled->subject && settled->act != JOURNAL_NOTE) {
			w->next_due_ms = 0; /* one that waited for it may be due now */
		}
		if (settled->act != JOURNAL_NOTE && journal_pos_cmp(settled->at, w->cursor) >= 0)
			ahead_add(&w->ahead, settled->at);
	}
	pthread_mutex_unlock(&w->lock);
}

/* One try. */
static int record(struct worker *w, const patchbay_str *checkpoint, struct err *err)
{
	struct journal_pos safe = safe_cursor(w);
	bool moves = journal_pos_cmp(safe, w->cursor) > 0;
	if (!moves && !w->settlement.n && !checkpoint)
		return 0;
	if (journal_settle(w->journal, w->sink->name, moves ? &safe : NULL, w->settlement.v, w->settlement.n,
			   checkpoint, err) < 0)
		return -1;
	if (moves)
		moved(w, safe);
	note_done(w);
	return 0;
}

int settle(struct worker *w, const patchbay_str *checkpoint)
{
	struct err err = { 0 };
	int64_t delay_ms = RETRY_MS;
	int r;
	while ((r = record(w, checkpoint, &err)) < 0) {
		breaker_note_reason(w, str_c(err.text));
		log_about_limited(&w->unsettleable, LOG_LEVEL_ERROR, &w->about,
				  "sink %s: what it did cannot be recorded, so it waits: %s", w->sink->name, err.text);
		if (!wait_for_ms(w, delay_ms)) {
			r = record(w, checkpoint, &err);
			break;
		}
		delay_ms = delay_ms * 2 < RETRY_MAX_MS ? delay_ms * 2 : RETRY_MAX_MS;
	}
	if (r < 0) {
		log_about(LOG_LEVEL_ERROR, &w->about,
			  "sink %s: stopped before the outcome of its last %zu events could be recorded; they will be "
			  "delivered again: %s",
			  w->sink->name, w->settlement.n, err.text);
		w->must_reread = true; /* nothing behind the cursor may be settled any more */
		w->again = w->cursor;
	}
	forget(w);
	return r;
}

void settle_notes(struct worker *w)
{
	struct err err = { 0 };
	if (record(w, NULL, &err) < 0)
		log_about_limited(&w->unsettleable, LOG_LEVEL_ERROR, &w->about,
				  "sink %s: an attempt cannot be recorded: %s", w->sink->name, err.text);
	forget(w);
}

void settle_progress(struct worker *w)
{
	struct err err = { 0 };
	if (!w->unsettled)
		return;
	if (record(w, NULL, &err) < 0)
		log_about_limited(&w->unsettleable, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name, err.text);
	w->unsettled_ns = clock_steady_ns();
	if (journal_pos_cmp(w->cursor, w->read) != 0)
		w->unsettled = 1; /* some of it */
}

bool settle_progress_is_old(const struct worker *w)
{
	return w->unsettled >= LAZY_RECORDS ||
	       (w->unsettled && clock_steady_ns() - w->unsettled_ns >= LAZY_MS * NS_PER_MS);
}
