/* give.c - hands a free lane something to do: to resume, to act on due deliveries or fresh events, to idle. */
#include "deliver/worker.h"

#include "base/clock.h"

#include <stdio.h>

#define BURY_MAX 1000      /* in one step */
#define BURY_LOOK_MS 60000 /* how often it is looked for what has become too old */

static int start_act(struct worker *w, struct lane *lane)
{
	int64_t now = clock_steady_ns();
	lane->again = 0;
	pace_began(&w->pace, now);
	lane_start(lane, LANE_ACT, now);
	return 1;
}

/* What was found to need no call must be durable before others build on it. */
static int settle_found(struct worker *w)
{
	return w->settlement.n ? settle(w, NULL) : 0;
}

static int give_parked(struct worker *w, struct lane *lane, size_t max)
{
	if (w->parked_blocked || worker_now_ms(w) < w->next_due_ms)
		return 0;
	int filled = fill_parked(w, lane, max);
	bool found = w->settlement.n > 0;
	if (settle_found(w) < 0 || !filled)
		return found;
	return start_act(w, lane);
}

static bool must_linger(struct worker *w)
{
	if (w->sink->batch_linger_ms <= 0 || w->backlog || w->breaker.open)
		return false;
	int64_t now = clock_steady_ns();
	if (!w->linger_ns && journal_pos_cmp(w->read, journal_end(w->journal)) < 0)
		w->linger_ns = now + w->sink->batch_linger_ms * NS_PER_MS;
	return w->linger_ns > now;
}

static int give_fresh(struct worker *w, struct lane *lane, size_t max)
{
	w->fresh_blocked |= w->must_reread && worker_has_fresh_out(w);
	if (w->fresh_blocked)
		return 0;
	if (w->must_reread) {
		w->read = w->again;
		w->must_reread = false;
		w->backlog = true;
	}
	if (must_linger(w))
		return 0;
	w->linger_ns = 0;
	size_t before = w->unsettled;
	int filled = fill_fresh(w, lane, max);
	bool found = w->settlement.n > 0 || w->unsettled > before;
	struct journal_pos behind = w->read;
	if (filled)
		w->read = lane->batch.start; /* as long as it is not given out, nothing behind may become durable */
	int r = settle_found(w);
	w->read = r < 0 ? w->read : behind;
	if (r < 0 || !filled)
		return found;
	return start_act(w, lane);
}

/* A destination has been dead for longer than anything is kept for it. What it was owed before then ends here. */
static int bury_old(struct worker *w, struct lane *lane)
{
	int64_t limit_ms = worker_now_ms(w) - retry_give_up_ms(&w->sink->retry);
	char why[512];
	if (!breaker_is_hopeless(w) || clock_steady_ns() < w->breaker.bury_ns || worker_has_fresh_out(w))
		return 0;
	w->read = w->cursor;
	w->must_reread = false;
	fill_fresh(w, lane, BURY_MAX);
	pthread_mutex_lock(&w->lock);
	snprintf(why, sizeof(why), "the destination has not worked for longer than events are kept for it: %s",
		 w->stats.reason);
	pthread_mutex_unlock(&w->lock);
	if (!lane->batch.n && !w->backlog)
		w->breaker.bury_ns = clock_steady_ns() + BURY_LOOK_MS * NS_PER_MS;
	for (size_t i = 0; i < lane->batch.n; i++) {
		const struct batch_item *item = &lane->batch.items[i];
		if (item->received_ms > limit_ms) {
			w->must_reread = true;
			w->again = item->at;
			w->breaker.bury_ns = clock_steady_ns() + BURY_LOOK_MS * NS_PER_MS;
			break;
		}
		*settle_add(w) = (struct journal_settled){ .at = item->at,
							   .id = item->id,
							   .act = JOURNAL_DEAD,
							   .attempt = item->attempts,
							   .at_ms = clock_wall_ns() / NS_PER_MS,
							   .class_ = "destination",
							   .why = str_c(why) };
	}
	settle(w, NULL);
	return clock_steady_ns() >= w->breaker.bury_ns;
}

int give_work(struct worker *w)
{
	struct lane *lane = worker_free_lane(w);
	size_t max = w->sink->batch_events > 0 ? (size_t)w->sink->batch_events : 1;
	int64_t now = clock_steady_ns();
	uint64_t operations = journal_operations(w->journal);
	if (operations != w->operations) { /* somebody has replayed */
		w->operations = operations;
		w->next_due_ms = 0;
		w->has_parked = true;
	}
	if (!lane)
		return 0;
	if (w->breaker.open) {
		if (worker_is_busy(w))
			return 0;
		if (now < w->breaker.next_ns)
			return bury_old(w, lane);
		if (!w->breaker.limited)
			max = 1; /* one event tells whether it is over */
	}
	if (!lane->resumed) {
		lane->given = w->checkpoint;
		lane_start(lane, LANE_RESUME, now);
		return 1;
	}
	if (!pace_allows(&w->pace, now))
		return 0;
	/* As a probe a parked one is taken only if there is no other, or if it would have to end without one, too. */
	w->parked_last = !w->parked_last && (!w->breaker.open || breaker_is_hopeless(w));
	int did = w->parked_last ? give_parked(w, lane, max) : give_fresh(w, lane, max);
	if (did)
		return did;
	return w->parked_last ? give_fresh(w, lane, max) : give_parked(w, lane, max);
}

int give_idle(struct worker *w)
{
	int64_t now = clock_steady_ns();
	if (!w->abilities.idle.every_ms || w->breaker.open)
		return 0;
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (!lane || !lane->resumed || !lane_is(lane, LANE_FREE) || now < lane->idle_ns)
			continue;
		lane_start(lane, LANE_IDLE, now);
		return 1;
	}
	return 0;
}
