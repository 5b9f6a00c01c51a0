/* outcome.c - what the results of a call mean for its events and for the destination. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "guard/guard.h"

#include <stdio.h>

#define AGAIN_MAX 8   /* AGAIN in a row, after which it counts as RETRY */
#define PROBES_MAX 2  /* with one event, before it is parked and the next one is tried */
#define HANGS_MAX 3   /* of calls with one event, before it is dead */
#define NOTES_MAX 100 /* events of a call whose failed attempt is recorded, where the destination failed */
#define WHY_MAX 1000  /* bytes of a reason that are kept */

struct tally {
	size_t done, bad_event, config, retry, down, bad_sink, untouched;
	int64_t after_ms;       /* the longest that was asked for by DOWN or EBADSINK */
	patchbay_str why;       /* of the first that failed; rather the destination's */
	const struct id *event; /* which one that is */
	size_t notes;
};

/* From here on everything is to be read again, once no lane has fresh events. */
static void reread(struct worker *w, struct journal_pos from)
{
	if (!w->must_reread || journal_pos_cmp(from, w->again) < 0)
		w->again = from;
	w->must_reread = true;
}

static size_t count(const struct batch *batch, patchbay_status status)
{
	size_t n = 0;
	for (size_t i = 0; i < batch->n; i++)
		n += batch->results[i].status == status;
	return n;
}

static void set_all(struct batch *batch, patchbay_status status, patchbay_str why)
{
	for (size_t i = 0; i < batch->n; i++)
		batch->results[i] = (patchbay_result){ status, 0, why };
}

/* Every result becomes one that act may answer, with a reason unless OK or UNTOUCHED. */
static void normalise(const struct lane *lane, patchbay_result *result)
{
	patchbay_str said = result->why.n ? result->why : lane->call.why;
	switch (result->status) {
	case PATCHBAY_OK:
	case PATCHBAY_UNTOUCHED:
		break;
	case PATCHBAY_RETRY:
	case PATCHBAY_DOWN:
	case PATCHBAY_EBADEVENT:
	case PATCHBAY_ECONFIG:
	case PATCHBAY_EBADSINK:
		result->why = said.n ? said : STR("the plugin gave no reason");
		break;
	case PATCHBAY_AGAIN:
		result->status = PATCHBAY_RETRY;
		result->why =
			STR("the plugin wants to be called again, again and again, or for a part of the batch only");
		break;
	default:
		result->status = PATCHBAY_RETRY;
		result->why = said.n ? said : STR("the plugin answered a status that act must not answer");
	}
	if (result->why.n > WHY_MAX)
		result->why.n = WHY_MAX;
}

/* What the statuses mean together. */
static void weigh(const struct worker *w, struct batch *batch)
{
	if (count(batch, PATCHBAY_UNTOUCHED) == batch->n)
		set_all(batch, PATCHBAY_RETRY, STR("the plugin left every event untouched"));
	if (batch->fresh && batch->n > 1 && count(batch, PATCHBAY_RETRY) == batch->n)
		for (size_t i = 0; i < batch->n; i++)
			batch->results[i].status = PATCHBAY_DOWN;
	/* One that has failed before, while others went through, says nothing about the destination. */
	for (size_t i = 0; i < batch->n && !batch->fresh && !w->breaker.open; i++)
		if (batch->results[i].status == PATCHBAY_DOWN && !batch->results[i].after_ms)
			batch->results[i].status = PATCHBAY_RETRY;
}

static void tally_up(const struct worker *w, struct lane *lane, struct tally *tally)
{
	struct batch *batch = &lane->batch;
	*tally = (struct tally){ 0 };
	for (size_t i = 0; i < batch->n; i++)
		normalise(lane, &batch->results[i]);
	weigh(w, batch);
	for (size_t i = 0; i < batch->n; i++) {
		const patchbay_result *result = &batch->results[i];
		bool destination = result->status == PATCHBAY_DOWN || result->status == PATCHBAY_EBADSINK;
		tally->done += result->status == PATCHBAY_OK;
		tally->bad_event += result->status == PATCHBAY_EBADEVENT;
		tally->config += result->status == PATCHBAY_ECONFIG;
		tally->retry += result->status == PATCHBAY_RETRY;
		tally->untouched += result->status == PATCHBAY_UNTOUCHED;
		if (result->status == PATCHBAY_OK || result->status == PATCHBAY_UNTOUCHED)
			continue;
		if (destination && (int64_t)result->after_ms > tally->after_ms)
			tally->after_ms = result->after_ms;
		if (!tally->why.n || (destination && !(tally->down + tally->bad_sink))) {
			tally->why = result->why;
			tally->event = &batch->items[i].id;
		}
		tally->down += result->status == PATCHBAY_DOWN;
		tally->bad_sink += result->status == PATCHBAY_EBADSINK;
	}
}

/* ---- One event */

static struct journal_settled *add(struct worker *w, const struct lane *lane, size_t i, enum journal_act act)
{
	const struct batch_item *item = &lane->batch.items[i];
	struct journal_settled *settled = settle_add(w);
	settled->act = act;
	settled->at = item->at;
	settled->id = item->id;
	settled->was_parked = item->parked;
	settled->attempt = item->attempts + 1;
	settled->subject = item->subject;
	settled->at_ms = lane->at_ms;
	settled->took_ms = lane->took_ns / NS_PER_MS;
	return settled;
}

static void bury(struct worker *w, const struct lane *lane, size_t i, const char *class_, patchbay_str why)
{
	struct journal_settled *settled = add(w, lane, i, JOURNAL_DEAD);
	settled->class_ = class_;
	settled->why = why;
	settle_tell_dead(w, &lane->batch.items[i].id, class_, why);
}

static void park(struct worker *w, const struct lane *lane, size_t i, int64_t after_ms, patchbay_str why)
{
	struct journal_settled *settled = add(w, lane, i, JOURNAL_PARK);
	int64_t delay = retry_delay_ms(&w->sink->retry, settled->attempt, &w->random);
	settled->due_ms = worker_now_ms(w) + (delay > after_ms ? delay : after_ms);
	settled->why = why;
}

static int64_t failing_ms(const struct worker *w, const struct batch_item *item)
{
	return item->parked ? worker_now_ms(w) - item->first_ms : 0;
}

static void retry_or_give_up(struct worker *w, const struct lane *lane, size_t i, const char *class_, int64_t after_ms,
			     patchbay_str why)
{
	const struct batch_item *item = &lane->batch.items[i];
	if (retry_gives_up(&w->sink->retry, item->attempts + 1, failing_ms(w, item)))
		bury(w, lane, i, class_, why);
	else
		park(w, lane, i, after_ms, why);
}

/* The event was not to blame. It stays where it is, and is owed; the attempt is on record. True if so. */
static bool leave(struct worker *w, const struct lane *lane, size_t i, struct tally *tally, bool probing)
{
	const struct batch_item *item = &lane->batch.items[i];
	const patchbay_result *result = &lane->batch.results[i];
	int64_t give_up_ms = retry_give_up_ms(&w->sink->retry);
	if (item->parked && give_up_ms > 0 && failing_ms(w, item) >= give_up_ms) {
		bury(w, lane, i, "destination", result->why);
		return false;
	}
	if (tally->notes < NOTES_MAX) {
		struct tried *tried = worker_tried(w, item->at, true);
		/* A failure that is about the destination, again and again, with this one: perhaps it is about this
		 * one. */
		if (probing && result->status == PATCHBAY_DOWN && !result->after_ms && ++tried->probes >= PROBES_MAX) {
			retry_or_give_up(w, lane, i, "destination", 0, result->why);
			return false;
		}
		tried->attempts = item->attempts + 1;
		tally->notes++;
		struct journal_settled *note = add(w, lane, i, JOURNAL_NOTE);
		note->why = result->why;
	}
	if (item->parked)
		w->next_due_ms = 0;
	return true;
}

/* False: it is left as it is. */
static bool decide(struct worker *w, const struct lane *lane, size_t i, struct tally *tally, bool probing)
{
	const patchbay_result *result = &lane->batch.results[i];
	switch (result->status) {
	case PATCHBAY_OK:
		add(w, lane, i, JOURNAL_DONE)->why = result->why; /* an answer worth keeping, or nothing */
		return true;
	case PATCHBAY_EBADEVENT:
		bury(w, lane, i, "event", result->why);
		return true;
	case PATCHBAY_ECONFIG:
		/* A destination that refuses all of them: this one may wait, once, like those behind it. */
		if (probing && worker_tried(w, lane->batch.items[i].at, true)->probes++ == 0)
			return !leave(w, lane, i, tally, probing);
		bury(w, lane, i, "configuration", result->why);
		return true;
	case PATCHBAY_RETRY:
		retry_or_give_up(w, lane, i, "gave up", result->after_ms, result->why);
		return true;
	case PATCHBAY_UNTOUCHED:
		if (lane->batch.items[i].parked)
			w->next_due_ms = 0;
		return false;
	default:
		return !leave(w, lane, i, tally, probing);
	}
}

/* ---- A call */

/* Parked ones that fail again say nothing new about the destination. */
static void tell_breaker(struct worker *w, const struct tally *tally, bool fresh, bool spent)
{
	bool works = tally->done || tally->bad_event;
	if (tally->done)
		guard_works(GUARD_SINK, w->sink->name, GUARD_ACT);
	if (works)
		breaker_works(w);
	if (tally->down + tally->bad_sink)
		breaker_failed(w, tally->bad_sink > 0, tally->after_ms, tally->event, tally->why);
	else if (tally->retry + tally->config && !works && (fresh || w->breaker.open))
		breaker_events_failed(w, (uint32_t)(tally->retry + tally->config), tally->config > 0, tally->event,
				      tally->why);
	if (spent)
		w->breaker.next_ns = clock_steady_ns(); /* the next event may fare better: no need to wait */
}

static void conclude(struct worker *w, struct lane *lane, const patchbay_str *checkpoint)
{
	struct tally tally;
	bool early = w->breaker.open && lane->began_ns < w->breaker.failed_ns; /* under way when it opened: no probe */
	bool probing = w->breaker.open && !early && lane->batch.n == 1 && lane->batch.fresh;
	bool left = false;
	tally_up(w, lane, &tally);
	for (size_t i = 0; i < lane->batch.n; i++) {
		if (decide(w, lane, i, &tally, probing) || !lane->batch.fresh)
			continue;
		if (!left)
			reread(w, lane->batch.items[i].at);
		left = true;
	}
	pthread_mutex_lock(&w->lock);
	w->stats.retried += tally.retry + tally.down + tally.bad_sink;
	pthread_mutex_unlock(&w->lock);
	lane_take(lane);
	if (w->settlement.n == tally.notes && !checkpoint)
		settle_notes(w);
	else
		settle(w, checkpoint);
	if (early)
		breaker_defer(w, tally.after_ms);
	else
		tell_breaker(w, &tally, lane->batch.fresh, probing && !left && tally.down);
}

void outcome_of_act(struct worker *w, struct lane *lane)
{
	struct batch *batch = &lane->batch;
	const patchbay_str *checkpoint = lane->checkpoint.n ? &lane->checkpoint : NULL;
	const struct log_about about = worker_about_call(w, lane);
	bool again = count(batch, PATCHBAY_AGAIN) == batch->n;
	if (lane->took_ns > w->sink->timeout_ms * NS_PER_MS)
		log_about_limited(&w->late, LOG_LEVEL_WARNING, &about,
				  "sink %s: the plugin overran its deadline of %lld ms", w->sink->name,
				  (long long)w->sink->timeout_ms);
	if (lane->checkpoint.n > CHECKPOINT_MAX) {
		set_all(batch, PATCHBAY_EBADSINK, STR("the plugin's checkpoint is too long"));
		checkpoint = NULL;
		again = false;
	}
	if (again && lane->again < AGAIN_MAX) {
		lane->again++;
		if (settle(w, checkpoint) == 0) {
			lane_start(lane, LANE_ACT, clock_steady_ns());
			return;
		}
		reread(w, batch->start);
		lane_take(lane);
		return;
	}
	if (again)
		log_about_limited(
			&w->insists, LOG_LEVEL_WARNING, &about,
			"sink %s: the plugin asked %d times in a row to be called again; its events are retried "
			"later",
			w->sink->name, AGAIN_MAX + 1);
	conclude(w, lane, checkpoint);
}

void outcome_of_stray(struct worker *w, struct lane *lane)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "the plugin did not return within its deadline of %lld ms; the call was abandoned",
			 (long long)w->sink->timeout_ms);
	patchbay_str why = arena_copy(&w->settlement_texts, (patchbay_str){ text, (size_t)n });
	lane->took_ns = clock_steady_ns() - lane->began_ns;
	for (size_t i = 0; i < lane->batch.n; i++) {
		struct tried *tried = worker_tried(w, lane->batch.items[i].at, true);
		if (lane->batch.n == 1 && ++tried->hangs >= HANGS_MAX)
			bury(w, lane, i, "plugin", why);
		else if (lane->batch.n > 1 && !tried->hangs)
			park(w, lane, i, 0, why), tried->hangs = 1; /* from now on it is tried by itself */
		else
			retry_or_give_up(w, lane, i, "plugin", 0, why);
	}
	pthread_mutex_lock(&w->lock);
	w->stats.retried += lane->batch.n;
	pthread_mutex_unlock(&w->lock);
	const struct log_about about = worker_about_call(w, lane);
	log_about_limited(&w->stuck, LOG_LEVEL_ERROR, &about, "sink %s: %s; its %zu events are tried again",
			  w->sink->name, text, lane->batch.n);
	breaker_note_reason(w, why);
}
