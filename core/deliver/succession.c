/* succession.c - how a sink's worker takes the place of its predecessor, and makes room for its successor; and how one
 * that goes on gets other routes. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MS 10000
#define SEAT_MS 20 /* how often it looks whether it shall stop */
#define OPEN_AGAIN_MS 1000

/* ---- Routes */

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path ? path : "routes.yaml";
}

void routing_free(struct routing *routing)
{
	if (!routing)
		return;
	router_destroy(routing->router);
	generation_unref(routing->generation);
	free(routing);
}

struct routing *routing_create(struct generation *generation, size_t sink_index)
{
	struct routing *routing = xcalloc(1, sizeof *routing);
	routing->generation = generation_ref(generation);
	routing->router = router_create(generation->config, sink_index);
	routing->routes_name = last_part(generation->config->path);
	return routing;
}

void worker_reroute(struct worker *w, struct generation *generation, size_t sink_index)
{
	routing_free(atomic_exchange(&w->next_routing, routing_create(generation, sink_index)));
}

void succession_take_routing(struct worker *w)
{
	struct routing *next = atomic_exchange(&w->next_routing, NULL);
	if (!next)
		return;
	routing_free(w->routing);
	w->routing = next;
}

/* ---- Taking up the work */

int worker_open(struct worker *w, struct err *err)
{
	struct journal_sink known;
	size_t n = 0;
	if (journal_sink_open(w->journal, w->sink->name, &known, err) < 0)
		return -1;
	free((void *)(uintptr_t)w->checkpoint.p);
	w->checkpoint = known.checkpoint;
	w->trouble_ms = known.trouble_ms;
	w->not_before_ms = known.not_before_ms;
	w->cursor = w->read = known.cursor;
	if (journal_settled_ahead(w->journal, w->sink->name, w->cursor, &w->ahead.v, &n, err) < 0)
		return -1;
	w->ahead.n = w->ahead.room = n;
	pthread_mutex_lock(&w->lock);
	w->stats.cursor = w->stats_read = w->cursor;
	pthread_mutex_unlock(&w->lock);
	w->opened = true;
	return 0;
}

static void wait_for_release(struct worker *w)
{
	pthread_mutex_lock(&w->yard->lock);
	while (atomic_load(&w->held) && !atomic_load(&w->stopping))
		wait_for_change(w, HELD_MS * NS_PER_MS);
	pthread_mutex_unlock(&w->yard->lock);
}

static void open_patiently(struct worker *w)
{
	while (!w->opened && !atomic_load(&w->stopping)) {
		struct err err = { 0 };
		if (worker_open(w, &err) == 0)
			break;
		breaker_note_reason(w, str_c(err.text));
		log_about_limited(&w->unreadable, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name, err.text);
		pthread_mutex_lock(&w->yard->lock);
		wait_for_change(w, OPEN_AGAIN_MS * NS_PER_MS);
		pthread_mutex_unlock(&w->yard->lock);
	}
}

/* False: it is time to stop. */
static bool wait_for_seat(struct worker *w)
{
	int64_t tell_ns = clock_steady_ns() + NS_PER_S;
	while (!atomic_load(&w->stopping)) {
		if (seat_take(w->seat, SEAT_MS))
			return true;
		if (clock_steady_ns() < tell_ns)
			continue;
		log_about(LOG_LEVEL_INFO, &w->about,
			  "sink %s: takes up its work when a call that began before the reload has ended",
			  w->sink->name);
		tell_ns = INT64_MAX;
	}
	return false;
}

bool succession_sit_down(struct worker *w)
{
	wait_for_release(w);
	bool seated = wait_for_seat(w);
	if (seated)
		open_patiently(w);
	return seated;
}

/* ---- Making room */

static void change(struct worker *w, atomic_bool *what, bool to)
{
	pthread_mutex_lock(&w->yard->lock);
	atomic_store(what, to);
	pthread_cond_broadcast(&w->yard->changed);
	pthread_mutex_unlock(&w->yard->lock);
}

void worker_release(struct worker *w)
{
	change(w, &w->held, false);
}

void worker_ask_to_leave(struct worker *w)
{
	change(w, &w->stopping, true);
	worker_nudge(w);
}

/* It may be on its way into journal_wait() when it is asked to leave; then the next one wakes it. */
void worker_nudge(struct worker *w)
{
	pthread_mutex_lock(&w->yard->lock);
	if (w->yard->in_journal)
		journal_wake(w->journal);
	pthread_mutex_unlock(&w->yard->lock);
}

/* In this order: who stops for good does not wait until an outcome can be recorded, and would, until told to stop at
 * all, act on the same events again and again. */
void worker_ask_to_stop(struct worker *w)
{
	change(w, &w->stopping, true);
	change(w, &w->for_good, true);
}
