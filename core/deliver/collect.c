/* collect.c - takes in what lanes did, and replaces those whose call does not return. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "guard/guard.h"

#define STRAYS_MAX 4
#define BUSY_SHARE 0.3      /* of a processor */
#define WAITED_FOR_MS 30000 /* past the deadline, at least */

static void after_resume(struct worker *w, struct lane *lane)
{
	patchbay_str why =
		lane->call.why.n ? lane->call.why : STR("the plugin could not take up its work, and gave no reason");
	lane_take(lane);
	lane->resumed = lane->status == PATCHBAY_OK;
	if (lane->resumed && w->breaker.open && !w->breaker.limited) /* otherwise it has not been seen to work yet */
		breaker_works(w);
	else if (!lane->resumed)
		breaker_failed(w, lane->status == PATCHBAY_EBADSINK, 0, NULL, why);
}

static void after_idle(struct worker *w, struct lane *lane)
{
	lane_take(lane);
	if (lane->status == PATCHBAY_OK)
		guard_works(GUARD_SINK, w->sink->name, GUARD_IDLE);
	else
		log_about_limited(&w->idle_failed, LOG_LEVEL_WARNING, &w->about,
				  "sink %s: what it does while idle failed: %.*s", w->sink->name,
				  STR_ARG(lane->call.why));
	if (lane->checkpoint.n > CHECKPOINT_MAX)
		log_about_limited(&w->idle_failed, LOG_LEVEL_ERROR, &w->about,
				  "sink %s: the plugin's checkpoint is too long", w->sink->name);
	else if (lane->checkpoint.n)
		settle(w, &lane->checkpoint);
	lane->idle_ns = clock_steady_ns() + w->abilities.idle.every_ms * NS_PER_MS;
}

/* A call that only returns when the process ends: it takes a processor from everybody, or nothing is left to put in its
 * place. What it was about is noted; after the third time that is a dead letter. */
static bool is_hopeless(struct worker *w, const struct lane *lane)
{
	pthread_mutex_lock(&w->yard->lock);
	bool last = w->yard->strays + 1 >= STRAYS_MAX;
	pthread_mutex_unlock(&w->yard->lock);
	return guard_is_on() && (last || lane_busyness(lane, clock_steady_ns()) > BUSY_SHARE);
}

/* Waited for because there must not be two of it, but not for ever. */
static bool is_too_late(const struct worker *w, const struct lane *lane)
{
	int64_t more_ms = w->sink->timeout_ms > WAITED_FOR_MS ? w->sink->timeout_ms : WAITED_FOR_MS;
	return clock_steady_ns() >= lane_overdue_ns(lane) + more_ms * NS_PER_MS;
}

/* A call that does not come back. Of a sink with a checkpoint there must never be two: that one is waited for. */
static void overdue(struct worker *w, struct lane **slot)
{
	struct lane *lane = *slot;
	if (is_hopeless(w, lane)) {
		lane->reported = true;
		guard_condemn(atomic_load(&lane->guarded));
		return;
	}
	if (w->abilities.checkpoint.resume || lane->job != LANE_ACT) {
		patchbay_str why = STR("a call of the plugin does not return; its next events wait for it");
		lane->reported = true;
		breaker_note_reason(w, why);
		const struct log_about about = worker_about_call(w, lane);
		log_about_limited(&w->stuck, LOG_LEVEL_ERROR, &about, "sink %s: %.*s", w->sink->name, STR_ARG(why));
		return;
	}
	outcome_of_stray(w, lane);
	*slot = NULL;
	lane_drop(lane);
	pace_ended(&w->pace, clock_steady_ns());
	settle(w, NULL);
}

/* In place of strays, as long as there are not too many of them. */
static void replace_lanes(struct worker *w)
{
	pthread_mutex_lock(&w->yard->lock);
	bool too_many = w->yard->strays >= STRAYS_MAX;
	pthread_mutex_unlock(&w->yard->lock);
	for (size_t i = 0; i < w->n_lanes && !too_many; i++) {
		struct err err = { 0 };
		if (w->lanes[i])
			continue;
		w->lanes[i] = lane_create(w->yard, w->generation, w->sink, &w->abilities, &err);
		if (!w->lanes[i])
			log_about_limited(&w->unmade, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name,
					  err.text);
	}
}

int collect(struct worker *w)
{
	int did = 0;
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (!lane) {
			if (!atomic_load(&w->stopping))
				replace_lanes(w);
			continue;
		}
		if (lane_is(lane, LANE_DONE)) {
			did = 1;
			lane->took_ns = clock_steady_ns() - lane->began_ns;
			w->fresh_blocked = w->parked_blocked = false;
			if (lane->job == LANE_ACT) {
				pace_ended(&w->pace, clock_steady_ns());
				lane->idle_ns = clock_steady_ns() + w->abilities.idle.every_ms * NS_PER_MS;
				outcome_of_act(w, lane);
			} else if (lane->job == LANE_RESUME) {
				after_resume(w, lane);
			} else {
				after_idle(w, lane);
			}
		} else if (lane_is(lane, LANE_BUSY) && !lane->reported && clock_steady_ns() >= lane_overdue_ns(lane)) {
			did = 1;
			w->fresh_blocked = w->parked_blocked = false;
			overdue(w, &w->lanes[i]);
		} else if (lane_is(lane, LANE_BUSY) && lane->reported && is_too_late(w, lane)) {
			guard_condemn(atomic_load(&lane->guarded));
		}
	}
	return did;
}
