/* worker.c - the life of a sink's thread. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "guard/guard.h"
#include "plugin/ability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MATCH_MEMORY (64u << 20)
#define STOP_GRACE_MS 10000 /* for calls that are under way */
#define LOOK_AGAIN_MS 20    /* meanwhile */

static void learn_abilities(const patchbay_sink *side, struct sink_abilities *ret)
{
	if (!ABILITY_GET(side, PATCHBAY_CHECKPOINT, &ret->checkpoint, resume))
		ret->checkpoint = (patchbay_checkpoint){ 0 };
	if (!ABILITY_GET(side, PATCHBAY_IDLE, &ret->idle, idle))
		ret->idle = (patchbay_idle){ 0 };
}

struct worker *worker_create(struct journal *journal, struct generation *generation, size_t sink_index,
			     struct seat *seat, struct err *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	w->journal = journal;
	w->generation = generation_ref(generation);
	w->sink = &generation->config->sinks[sink_index];
	w->about = (struct log_about){ .sink = w->sink->name, .plugin = w->sink->plugin->name };
	w->routing = routing_create(generation, sink_index);
	w->seat = seat_ref(seat);
	snprintf(w->stats.sink, sizeof w->stats.sink, "%s", w->sink->name);
	w->has_parked = true;
	pthread_mutex_init(&w->lock, NULL);
	call_init(&w->match, MATCH_MEMORY);
	w->wall_base_ns = clock_wall_ns() - clock_steady_ns();
	w->random.state = (uint64_t)clock_wall_ns() ^ ((uint64_t)sink_index + 1) * UINT64_C(0x9E3779B97F4A7C15);
	w->yard = yard_create(journal);
	w->reader = journal_reader_open(journal);
	learn_abilities(w->sink->plugin->sink, &w->abilities);
	w->n_lanes = w->sink->concurrency > 1 && !w->abilities.checkpoint.resume ? (size_t)w->sink->concurrency : 1;
	w->lanes = xcalloc(w->n_lanes, sizeof(struct lane *));
	for (size_t i = 0; i < w->n_lanes; i++)
		if (!(w->lanes[i] = lane_create(w->yard, w->generation, w->sink, &w->abilities, err)))
			goto fail;
	w->left_out = instance_is_left_out(w->lanes[0]->instance);
	return w;
fail:
	worker_destroy(w);
	return NULL;
}

static void drop_lanes(struct worker *w)
{
	for (size_t i = 0; w->lanes && i < w->n_lanes; i++) {
		lane_drop(w->lanes[i]);
		w->lanes[i] = NULL;
	}
}

size_t worker_destroy(struct worker *w)
{
	size_t strays = 0;
	if (!w)
		return 0;
	if (w->started) {
		worker_ask_to_stop(w);
		pthread_join(w->thread, NULL);
	}
	drop_lanes(w);
	free(w->lanes);
	pthread_mutex_lock(&w->yard->lock);
	strays = w->yard->strays;
	pthread_mutex_unlock(&w->yard->lock);
	yard_release(w->yard);
	routing_free(w->routing);
	routing_free(atomic_load(&w->next_routing));
	seat_unref(w->seat);
	if (w->reader)
		journal_reader_close(w->reader);
	call_fini(&w->match);
	ahead_free(&w->ahead);
	free(w->settlement.v);
	arena_fini(&w->settlement_texts);
	free((void *)(uintptr_t)w->checkpoint.p);
	pthread_mutex_destroy(&w->lock);
	generation_unref(w->generation);
	free(w);
	return strays;
}

int64_t worker_now_ms(const struct worker *w)
{
	int64_t wall = clock_wall_ns(), passed = clock_steady_ns() + w->wall_base_ns;
	return (wall > passed ? wall : passed) / NS_PER_MS;
}

/* ---- What others ask of it */

bool worker_is_busy(struct worker *w)
{
	for (size_t i = 0; i < w->n_lanes; i++)
		if (w->lanes[i] && lane_is(w->lanes[i], LANE_BUSY))
			return true;
	return false;
}

struct lane *worker_free_lane(struct worker *w)
{
	for (size_t i = 0; i < w->n_lanes; i++)
		if (w->lanes[i] && lane_is(w->lanes[i], LANE_FREE))
			return w->lanes[i];
	return NULL;
}

bool worker_has_fresh_out(struct worker *w)
{
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (lane && lane->job == LANE_ACT && lane->batch.fresh && !lane_is(lane, LANE_FREE))
			return true;
	}
	return false;
}

struct log_about worker_about(const struct worker *w, const struct id *event)
{
	struct log_about about = w->about;
	about.event = event;
	return about;
}

struct log_about worker_about_call(const struct worker *w, const struct lane *lane)
{
	return worker_about(w, lane->job == LANE_ACT && lane->batch.n == 1 ? &lane->batch.items[0].id : NULL);
}

struct tried *worker_tried(struct worker *w, struct journal_pos at, bool make)
{
	for (size_t i = 0; i < w->n_tried; i++)
		if (journal_pos_cmp(w->tried[i].at, at) == 0)
			return &w->tried[i];
	if (!make)
		return NULL;
	if (w->n_tried == TRIED_MAX)
		memmove(w->tried, w->tried + 1, --w->n_tried * sizeof(*w->tried));
	w->tried[w->n_tried] = (struct tried){ .at = at };
	return &w->tried[w->n_tried++];
}

/* ---- The thread */

/* Every call that there may be is one that does not return. */
static bool is_stuck(const struct worker *w)
{
	for (size_t i = 0; i < w->n_lanes; i++)
		if (w->lanes[i] && !w->lanes[i]->reported)
			return false;
	return true;
}

static void publish(struct worker *w)
{
	bool stuck = is_stuck(w);
	pthread_mutex_lock(&w->lock);
	if (stuck && !w->stats.trouble_since_ms)
		w->stats.trouble_since_ms = clock_wall_ns() / NS_PER_MS;
	else if (!stuck && !w->breaker.open)
		w->stats.trouble_since_ms = 0;
	w->stats.cursor = w->cursor;
	w->stats_read = w->must_reread || worker_has_fresh_out(w) ? w->cursor : w->read;
	pthread_mutex_unlock(&w->lock);
}

static bool all_are_free(struct worker *w)
{
	for (size_t i = 0; i < w->n_lanes; i++)
		if (w->lanes[i] && !lane_is(w->lanes[i], LANE_FREE))
			return false;
	return true;
}

/* What is taken in may begin a call again (PATCHBAY_AGAIN). A successor has the time to wait for a call that is within
 * its own; what is overdue is dealt with as ever. */
static void finish_calls(struct worker *w)
{
	int64_t until = 0;
	while (collect(w), !all_are_free(w)) {
		if (!until && atomic_load(&w->for_good))
			until = clock_steady_ns() + STOP_GRACE_MS * NS_PER_MS;
		if (until && clock_steady_ns() >= until)
			break;
		publish(w);
		pthread_mutex_lock(&w->yard->lock);
		wait_for_change(w, LOOK_AGAIN_MS * NS_PER_MS);
		pthread_mutex_unlock(&w->yard->lock);
	}
}

static void work(struct worker *w)
{
	pace_init(&w->pace, w->sink->rate_count, w->sink->rate_ms, (int64_t)w->n_lanes, clock_steady_ns());
	breaker_restore(w);
	while (!atomic_load(&w->stopping)) {
		succession_take_routing(w);
		int did = collect(w);
		did |= give_work(w);
		if (settle_progress_is_old(w))
			settle_progress(w);
		publish(w);
		if (!did && !give_idle(w))
			wait_for_work(w);
	}
	finish_calls(w);
	settle_progress(w);
	publish(w);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	bool seated = succession_sit_down(w);
	if (seated && w->opened)
		work(w);
	drop_lanes(w); /* what an instance has must be free before its successor resumes */
	if (seated)
		seat_leave(w->seat);
	pthread_mutex_lock(&w->yard->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->yard->changed);
	pthread_mutex_unlock(&w->yard->lock);
	return NULL;
}

int worker_start(struct worker *w, struct err *err)
{
	char name[16];
	w->blamed = guard_has_events(GUARD_SINK, w->sink->name);
	atomic_store(&w->held, true);
	int r = pthread_create(&w->thread, NULL, run, w);
	if (r)
		return err_set(err, "sink %s: cannot start its thread: %s", w->sink->name, strerror(r));
	w->started = true;
	snprintf(name, sizeof(name), "sink-%s", w->sink->name);
	pthread_setname_np(w->thread, name);
	return 0;
}

bool worker_has_ended(struct worker *w, int64_t wait_ms)
{
	int64_t until = clock_steady_ns() + wait_ms * NS_PER_MS, now;
	pthread_mutex_lock(&w->yard->lock);
	while (w->started && !w->ended && (now = clock_steady_ns()) < until)
		wait_for_change(w, until - now);
	bool ended = !w->started || w->ended;
	pthread_mutex_unlock(&w->yard->lock);
	return ended;
}

void worker_stats(struct worker *w, struct dispatcher_stats *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = w->stats;
	ret->at_end = journal_pos_cmp(w->stats_read, journal_end(w->journal)) >= 0;
	pthread_mutex_unlock(&w->lock);
	pthread_mutex_lock(&w->yard->lock);
	ret->strays = w->yard->strays;
	pthread_mutex_unlock(&w->yard->lock);
}
