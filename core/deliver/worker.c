/* worker.c - the life of a sink's thread: resume, then due deliveries and fresh events in turn, and waiting. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MEMORY (256u << 20) /* a plugin that needs more than this for a batch has gone wrong */
#define MATCH_MEMORY (64u << 20)
#define LAZY_RECORDS 1000 /* progress over events of other sinks is settled this often, */
#define LAZY_MS 500       /* or after this time */
#define WAIT_MAX_MS 10000
#define SETTLE_RETRY_MS 100
#define SETTLE_RETRY_MAX_MS 5000

struct worker *worker_create(struct journal *journal, const struct config *config, size_t sink_index, struct err *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	struct journal_sink known;
	w->journal = journal;
	w->config = config;
	w->sink = &config->sinks[sink_index];
	w->stats.sink = w->sink->name;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	call_init(&w->call, CALL_MEMORY);
	call_init(&w->match, MATCH_MEMORY);
	w->wall_base_ns = clock_wall_ns() - clock_steady_ns();
	w->random.state = (uint64_t)clock_wall_ns() ^ ((uint64_t)sink_index + 1) * UINT64_C(0x9E3779B97F4A7C15);
	if (journal_sink_open(journal, w->sink->name, &known, err) < 0)
		goto fail;
	w->checkpoint = known.checkpoint;
	w->cursor = w->read = w->stats.cursor = w->stats_read = known.cursor;
	w->router = router_create(config, sink_index);
	w->reader = journal_reader_open(journal);
	w->instance = instance_create(w->sink->plugin, true, w->sink->name, w->sink->options, &w->sink->secrets, err);
	if (!w->instance)
		goto fail;
	return w;
fail:
	worker_destroy(w);
	return NULL;
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	if (w->started)
		pthread_join(w->thread, NULL);
	instance_destroy(w->instance);
	router_destroy(w->router);
	if (w->reader)
		journal_reader_close(w->reader);
	batch_fini(&w->batch);
	call_fini(&w->call);
	call_fini(&w->match);
	free((void *)(uintptr_t)w->checkpoint.p);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int64_t worker_now_ms(const struct worker *w)
{
	int64_t wall = clock_wall_ns(), passed = clock_steady_ns() + w->wall_base_ns;
	return (wall > passed ? wall : passed) / NS_PER_MS;
}

/* With the lock held; false: it was time before anything changed. */
static bool wait_until(struct worker *w, int64_t steady_ns)
{
	struct timespec at = { steady_ns / NS_PER_S, steady_ns % NS_PER_S };
	return pthread_cond_timedwait(&w->changed, &w->lock, &at) != ETIMEDOUT;
}

bool worker_sleep_until(struct worker *w, int64_t steady_ns)
{
	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stopping) && wait_until(w, steady_ns))
		;
	pthread_mutex_unlock(&w->lock);
	return !atomic_load(&w->stopping);
}

int worker_settle(struct worker *w, const struct journal_pos *cursor, const struct journal_settled *settled, size_t n,
		  const patchbay_str *checkpoint)
{
	struct err err = { 0 };
	int64_t delay_ms = SETTLE_RETRY_MS;
	while (journal_settle(w->journal, w->sink->name, cursor, settled, n, checkpoint, &err) < 0) {
		worker_note_reason(w, str_c(err.text));
		log_limited(&w->unsettleable, LOG_LEVEL_ERROR,
			    "sink %s: what it did cannot be recorded, so it waits: %s", w->sink->name, err.text);
		if (!worker_sleep_until(w, clock_steady_ns() + delay_ms * NS_PER_MS)) {
			if (journal_settle(w->journal, w->sink->name, cursor, settled, n, checkpoint, &err) == 0)
				break;
			log_error("sink %s: stopped before the outcome of its last %zu events could be recorded; "
				  "they will be delivered again: %s",
				  w->sink->name, n, err.text);
			w->read = w->cursor; /* nothing behind the cursor may be settled any more */
			w->unsettled = 0;
			return -1;
		}
		delay_ms = delay_ms * 2 < SETTLE_RETRY_MAX_MS ? delay_ms * 2 : SETTLE_RETRY_MAX_MS;
	}
	if (cursor) {
		w->cursor = *cursor;
		w->unsettled = 0;
	}
	return 0;
}

/* Progress over events that are none of this sink's: nothing is lost when it cannot be recorded now. */
static void settle_progress(struct worker *w)
{
	struct err err = { 0 };
	if (!w->unsettled)
		return;
	if (journal_settle(w->journal, w->sink->name, &w->read, NULL, 0, NULL, &err) < 0) {
		log_limited(&w->unsettleable, LOG_LEVEL_ERROR, "sink %s: %s", w->sink->name, err.text);
		w->unsettled_ns = clock_steady_ns();
		return;
	}
	w->cursor = w->read;
	w->unsettled = 0;
}

static bool progress_is_old(const struct worker *w)
{
	return w->unsettled >= LAZY_RECORDS ||
	       (w->unsettled && clock_steady_ns() - w->unsettled_ns >= LAZY_MS * NS_PER_MS);
}

/* Hands the last checkpoint to the plugin until it takes it. */
static int resume(struct worker *w)
{
	const patchbay_sink *plugin = w->sink->plugin->sink;
	while (plugin->resume) {
		call_begin(&w->call, w->sink->timeout_ms);
		patchbay_status status = plugin->resume(instance_self(w->instance), &w->call, w->checkpoint);
		if (status == PATCHBAY_OK)
			break;
		worker_failed(w, status == PATCHBAY_EBADSINK, 0,
			      w->call.why.n ? w->call.why
					    : STR("the plugin could not take up its work, and gave no reason"));
		if (!worker_sleep_until(w, w->trouble.next_ns))
			return -1;
	}
	worker_works(w);
	return 0;
}

/* Each step: 1, something was done; 0, there was nothing to do; -1, it is time to stop. */
static int step_parked(struct worker *w, size_t max)
{
	if (worker_now_ms(w) < w->next_due_ms)
		return 0;
	if (batch_fill_parked(w, max) < 0 || outcome_parked(w) < 0)
		return -1;
	return w->batch.n || w->batch.n_settled;
}

static int step_fresh(struct worker *w, size_t max)
{
	if (batch_fill_fresh(w, max) < 0) {
		w->read = w->batch.start;
		return -1;
	}
	if (!w->batch.n && !w->batch.n_settled) {
		if (w->batch.scanned && !w->unsettled)
			w->unsettled_ns = clock_steady_ns();
		w->unsettled += w->batch.scanned;
		return w->batch.scanned > 0;
	}
	return outcome_fresh(w) < 0 ? -1 : 1;
}

static int step(struct worker *w)
{
	size_t max = w->sink->batch_events > 0 ? (size_t)w->sink->batch_events : 1;
	if (w->trouble.on) { /* one event tells whether it is over; a parked one only if there is no other */
		settle_progress(w);
		if (!worker_sleep_until(w, w->trouble.next_ns))
			return -1;
		int fresh = step_fresh(w, 1);
		return fresh != 0 ? fresh : step_parked(w, 1);
	}
	int parked = step_parked(w, max);
	if (parked < 0 || w->trouble.on)
		return parked;
	int fresh = step_fresh(w, max);
	return fresh != 0 ? fresh : parked;
}

static void call_idle(struct worker *w)
{
	const patchbay_sink *plugin = w->sink->plugin->sink;
	patchbay_str checkpoint = { "", 0 };
	call_begin(&w->call, w->sink->timeout_ms);
	patchbay_status status = plugin->idle(instance_self(w->instance), &w->call, &checkpoint);
	if (status != PATCHBAY_OK)
		log_limited(&w->idle_failed, LOG_LEVEL_WARNING, "sink %s: what it does while idle failed: %.*s",
			    w->sink->name, STR_ARG(w->call.why));
	if (checkpoint.n)
		worker_settle(w, NULL, NULL, 0, &checkpoint);
}

/* Nothing to do: until an event comes, a delivery is due, or something else is. */
static void wait_for_work(struct worker *w)
{
	const patchbay_sink *plugin = w->sink->plugin->sink;
	bool idles = plugin->idle && plugin->idle_ms && !w->trouble.on;
	int64_t now = clock_steady_ns(), until = now + WAIT_MAX_MS * NS_PER_MS;
	int64_t due_ms = w->next_due_ms - worker_now_ms(w);
	if (idles && now >= w->idle_ns) {
		call_idle(w);
		w->idle_ns = clock_steady_ns() + plugin->idle_ms * NS_PER_MS;
		return;
	}
	if (idles && w->idle_ns < until)
		until = w->idle_ns;
	if (w->unsettled && w->unsettled_ns + LAZY_MS * NS_PER_MS < until)
		until = w->unsettled_ns + LAZY_MS * NS_PER_MS;
	if (due_ms < WAIT_MAX_MS && now + due_ms * NS_PER_MS < until)
		until = now + due_ms * NS_PER_MS;
	if (until > now)
		journal_wait(w->journal, w->read, (until - now + NS_PER_MS - 1) / NS_PER_MS);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	if (resume(w) < 0)
		goto out;
	for (int did; !atomic_load(&w->stopping) && (did = step(w)) >= 0;) {
		if (progress_is_old(w))
			settle_progress(w);
		pthread_mutex_lock(&w->lock);
		w->stats.cursor = w->cursor;
		w->stats_read = w->read;
		pthread_mutex_unlock(&w->lock);
		if (!did)
			wait_for_work(w);
		else if (w->batch.n)
			w->idle_ns = clock_steady_ns() + w->sink->plugin->sink->idle_ms * NS_PER_MS;
	}
	settle_progress(w);
out:
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int worker_start(struct worker *w, struct err *err)
{
	char name[16];
	int r = pthread_create(&w->thread, NULL, run, w);
	if (r)
		return err_set(err, "sink %s: cannot start its thread: %s", w->sink->name, strerror(r));
	w->started = true;
	snprintf(name, sizeof(name), "sink-%s", w->sink->name);
	pthread_setname_np(w->thread, name);
	return 0;
}

void worker_ask_to_stop(struct worker *w)
{
	atomic_store(&w->stopping, true);
	pthread_mutex_lock(&w->lock);
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

bool worker_has_ended(struct worker *w, int64_t wait_ms)
{
	int64_t until = clock_steady_ns() + wait_ms * NS_PER_MS;
	pthread_mutex_lock(&w->lock);
	while (w->started && !w->ended && wait_until(w, until))
		;
	bool ended = !w->started || w->ended;
	pthread_mutex_unlock(&w->lock);
	return ended;
}

void worker_stats(struct worker *w, struct dispatcher_stats *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = w->stats;
	ret->at_end = journal_pos_cmp(w->stats_read, journal_end(w->journal)) >= 0;
	pthread_mutex_unlock(&w->lock);
}
