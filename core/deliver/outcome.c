/* outcome.c - asks the plugin to act on the batch, and turns its results into what the journal records. */
#include "deliver/worker.h"

#include "base/clock.h"

#include <string.h>

#define AGAIN_MAX 8  /* AGAIN in a row, after which it counts as RETRY */
#define PROBES_MAX 5 /* with one event, before it is parked and the next one is tried */
#define WHY_MAX 1000 /* bytes of a reason that are kept */
#define CHECKPOINT_MAX 4096

struct tally {
	size_t done, bad_event, retry, bad_sink;
	int64_t after_ms; /* longest that was asked for */
	patchbay_str why; /* of the first that failed */
	int64_t at_ms, took_ms;
	patchbay_str checkpoint;
};

static bool all_again(const struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (batch->results[i].status != PATCHBAY_AGAIN)
			return false;
	return true;
}

/* Every result becomes OK, RETRY, EBADEVENT or EBADSINK, with a reason unless OK. */
static void normalise(struct worker *w, patchbay_result *result)
{
	patchbay_str said = result->why.n ? result->why : w->call.why;
	switch (result->status) {
	case PATCHBAY_OK:
		return;
	case PATCHBAY_RETRY:
	case PATCHBAY_EBADEVENT:
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

static void count(struct worker *w, struct tally *tally)
{
	for (size_t i = 0; i < w->batch.n; i++) {
		patchbay_result *result = &w->batch.results[i];
		normalise(w, result);
		if (result->status == PATCHBAY_OK) {
			tally->done++;
			continue;
		}
		tally->bad_event += result->status == PATCHBAY_EBADEVENT;
		tally->retry += result->status == PATCHBAY_RETRY;
		tally->bad_sink += result->status == PATCHBAY_EBADSINK;
		if (result->status != PATCHBAY_EBADEVENT && (int64_t)result->after_ms > tally->after_ms)
			tally->after_ms = result->after_ms;
		if (!tally->why.n || (result->status == PATCHBAY_EBADSINK && tally->bad_sink == 1))
			tally->why = result->why;
	}
}

/* Calls act until it has decided. -1: it is time to stop. */
static int act(struct worker *w, struct tally *tally)
{
	const patchbay_sink *plugin = w->sink->plugin->sink;
	struct batch *batch = &w->batch;
	*tally = (struct tally){ .at_ms = clock_wall_ns() / NS_PER_MS };
	int64_t began = clock_steady_ns();
	for (int again = 0;; again++) {
		for (size_t i = 0; i < batch->n; i++)
			batch->results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, { "", 0 } };
		tally->checkpoint = (patchbay_str){ "", 0 };
		call_begin(&w->call, w->sink->timeout_ms);
		plugin->act(instance_self(w->instance), &w->call, batch->deliveries, batch->n, batch->results,
			    &tally->checkpoint);
		if (w->call.deadline_ns && clock_steady_ns() > w->call.deadline_ns)
			log_limited(&w->late, LOG_LEVEL_WARNING, "sink %s: the plugin overran its deadline of %lld ms",
				    w->sink->name, (long long)w->sink->timeout_ms);
		if (tally->checkpoint.n > CHECKPOINT_MAX) {
			for (size_t i = 0; i < batch->n; i++)
				batch->results[i] = (patchbay_result){ PATCHBAY_EBADSINK, 0,
								       STR("the plugin's checkpoint is too long") };
			tally->checkpoint.n = 0;
		}
		if (!all_again(batch))
			break;
		if (tally->checkpoint.n && worker_settle(w, NULL, NULL, 0, &tally->checkpoint) < 0)
			return -1;
		tally->checkpoint.n = 0;
		if (again == AGAIN_MAX) {
			log_warning("sink %s: the plugin asked %d times in a row to be called again; its events are "
				    "retried later",
				    w->sink->name, AGAIN_MAX + 1);
			break;
		}
	}
	tally->took_ms = (clock_steady_ns() - began) / NS_PER_MS;
	count(w, tally);
	return 0;
}

static void park(struct worker *w, struct journal_settled *settled, uint32_t after_ms)
{
	int64_t delay = retry_delay_ms(&w->sink->retry, settled->attempt, &w->random);
	settled->act = JOURNAL_PARK;
	settled->due_ms = worker_now_ms(w) + (delay > (int64_t)after_ms ? delay : (int64_t)after_ms);
	if (settled->due_ms < w->next_due_ms)
		w->next_due_ms = settled->due_ms;
}

/* Puts event number i and its result on the list of what is to be settled. */
static void settle_item(struct worker *w, size_t i, const struct tally *tally)
{
	const struct batch_item *item = &w->batch.items[i];
	const patchbay_result *result = &w->batch.results[i];
	struct journal_settled *settled = batch_settled(&w->batch);
	settled->at = item->at;
	settled->id = item->id;
	settled->was_parked = item->parked;
	settled->attempt = item->attempts + 1;
	settled->at_ms = tally->at_ms;
	settled->took_ms = tally->took_ms;
	settled->why = result->why;
	if (result->status == PATCHBAY_OK) {
		settled->act = JOURNAL_DONE;
	} else if (result->status == PATCHBAY_EBADEVENT) {
		settled->act = JOURNAL_DEAD;
		settled->class_ = "event";
	} else if (item->parked &&
		   retry_gives_up(&w->sink->retry, settled->attempt, worker_now_ms(w) - item->first_ms)) {
		settled->act = JOURNAL_DEAD;
		settled->class_ = "gave up";
	} else {
		park(w, settled, result->after_ms);
	}
}

/* Makes the list durable, and counts it. */
static int settle(struct worker *w, const struct journal_pos *cursor, const struct tally *tally)
{
	const struct batch *batch = &w->batch;
	const patchbay_str *checkpoint = tally->checkpoint.n ? &tally->checkpoint : NULL;
	if ((cursor || batch->n_settled || checkpoint) &&
	    worker_settle(w, cursor, batch->settled, batch->n_settled, checkpoint) < 0)
		return -1;
	pthread_mutex_lock(&w->lock);
	w->stats.retried += tally->retry + tally->bad_sink;
	for (size_t i = 0; i < batch->n_settled; i++) {
		const struct journal_settled *settled = &batch->settled[i];
		w->stats.done += settled->act == JOURNAL_DONE;
		w->stats.dead += settled->act == JOURNAL_DEAD;
		w->stats.skipped += settled->act == JOURNAL_SKIP;
		w->stats.parked += settled->act == JOURNAL_PARK && !settled->was_parked;
	}
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* The one event of this batch was a probe, and failed. Is it time to put it aside? */
static bool probe_is_spent(struct worker *w, const struct tally *tally)
{
	struct trouble *trouble = &w->trouble;
	if (memcmp(&trouble->probe, &w->batch.items[0].id, sizeof(trouble->probe)) != 0) {
		trouble->probe = w->batch.items[0].id;
		trouble->probes = trouble->attempts = 0;
	}
	trouble->attempts++;
	if (!tally->retry) /* EBADSINK is not about this event, whichever it is */
		return false;
	return ++trouble->probes >= PROBES_MAX;
}

/* Nothing of the batch was decided: the destination is in trouble. */
static int all_failed(struct worker *w, struct tally *tally)
{
	if (!w->trouble.on) {
		w->trouble.probe = w->batch.items[0].id;
		w->trouble.probes = 0;
		w->trouble.attempts = 1;
	} else if (probe_is_spent(w, tally)) {
		settle_item(w, 0, tally);
		if (settle(w, &w->batch.end, tally) < 0)
			return -1;
		worker_failed(w, false, 0, tally->why);
		w->trouble.next_ns = clock_steady_ns(); /* the next event may fare better: no need to wait */
		return 0;
	}
	w->batch.n_settled = 0; /* those skipped come again, with the others */
	w->read = w->batch.start;
	if (settle(w, NULL, tally) < 0)
		return -1;
	worker_failed(w, tally->bad_sink > 0, tally->after_ms, tally->why);
	return 0;
}

int outcome_fresh(struct worker *w)
{
	struct tally tally = { 0 };
	if (w->batch.n) {
		if (act(w, &tally) < 0)
			return -1;
		if (tally.retry + tally.bad_sink == w->batch.n)
			return all_failed(w, &tally);
		for (size_t i = 0; i < w->batch.n; i++)
			settle_item(w, i, &tally);
	}
	if (settle(w, &w->batch.end, &tally) < 0)
		return -1;
	if (w->batch.n)
		worker_works(w);
	if (tally.bad_sink)
		worker_failed(w, true, tally.after_ms, tally.why);
	return 0;
}

int outcome_parked(struct worker *w)
{
	struct tally tally = { 0 };
	if (w->batch.n) {
		if (act(w, &tally) < 0)
			return -1;
		for (size_t i = 0; i < w->batch.n; i++) {
			if (w->batch.results[i].status != PATCHBAY_EBADSINK)
				settle_item(w, i, &tally);
			else
				w->next_due_ms = 0; /* stays as it is, and due */
		}
	}
	if (settle(w, NULL, &tally) < 0)
		return -1;
	if (tally.done || tally.bad_event)
		worker_works(w);
	if (tally.bad_sink || (w->trouble.on && tally.retry))
		worker_failed(w, tally.bad_sink > 0, tally.after_ms, tally.why);
	return 0;
}
