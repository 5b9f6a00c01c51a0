/* alarms.c - see alarms.h. */
#include "alarm/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000
#define LOOK_LEAST_MS 20
#define LOOKS 4         /* within the shortest time that anybody wants to hear of */
#define SETTLED_TIMES 2 /* times `grace` after the start: what stood before is over if it was not found again */
#define SAVE_NS (60 * NS_PER_S)

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

/* ---- Looking */

struct deaths {
	struct died *v;
	size_t n;
};

static void take_died(void *ctx, const char *sink, uint64_t died)
{
	struct deaths *deaths = ctx;
	deaths->v = xrealloc(deaths->v, (deaths->n + 1) * sizeof *deaths->v);
	snprintf(deaths->v[deaths->n].sink, sizeof deaths->v->sink, "%s", sink);
	deaths->v[deaths->n++].n = died;
}

/* What has to be asked of the disk. */
static void count_dead(struct alarms *a)
{
	static struct log_limit limit;
	struct deaths deaths = { 0 };
	struct err err;
	if (journal_died(a->parts.journal, take_died, &deaths, &err) != 0) {
		log_limited(&limit, LOG_LEVEL_WARNING, "alarms: %s", err.text);
		free(deaths.v);
		return;
	}
	pthread_mutex_lock(&a->lock);
	free(a->died);
	a->died = deaths.v;
	a->n_died = deaths.n;
	pthread_mutex_unlock(&a->lock);
}

static void hear(struct alarms *a, int64_t wall_ms)
{
	int64_t now = clock_steady_ns();
	struct enricher_stats enriched;
	size_t n;
	struct poller_stats *polled = poller_stats(a->parts.poller, &n);
	int64_t ms = (now - a->looked_ns) / NS_PER_MS;
	sources_hear(&a->sources, polled, n, ms, wall_ms);
	free(polled);
	enricher_stats(a->parts.enricher, &enriched);
	if (enriched.with_details != a->enriched.with_details)
		a->details = (struct streak){ 0 };
	streak_go_on(&a->details, enriched.without - a->enriched.without, wall_ms);
	a->enriched = enriched;
	a->looked_ns += ms * NS_PER_MS;
}

/* True: something has changed. */
static bool look(struct alarms *a)
{
	struct alarm_list found = { 0 };
	int64_t now = now_ms();
	bool changed = false;
	pthread_mutex_lock(&a->lock);
	int64_t grace_ms = a->generation->config->alarms.grace_ms;
	hear(a, now);
	alarms_look(a, now, &found);
	standings_update(&a->standings, &found, now, grace_ms,
			 a->looked_ns - a->started_ns >= grace_ms * SETTLED_TIMES * NS_PER_MS);
	for (size_t i = 0; i < a->standings.n; i++) {
		changed |= a->standings.v[i].just_raised || a->standings.v[i].just_ended;
		alarms_log(&a->standings.v[i]);
	}
	pthread_mutex_unlock(&a->lock);
	alarm_list_free(&found);
	return changed;
}

/* What is told is on record before, so that the next process tells it in the same words, if at all; and after. */
static void step(struct alarms *a)
{
	count_dead(a);
	bool changed = look(a);
	int64_t now = now_ms();
	changed |= alarms_begin_to_tell(a, now);
	if (changed || clock_steady_ns() - a->saved_ns >= SAVE_NS) {
		alarms_save(a);
		a->saved_ns = clock_steady_ns();
	}
	if (alarms_tell(a, now) || changed)
		alarms_save(a);
}

/* ---- The thread */

static int64_t pause_ns(const struct alarms *a)
{
	int64_t ms = a->generation->config->alarms.grace_ms, silence_ms = sources_shortest_ms(&a->sources);
	ms = (ms < silence_ms ? ms : silence_ms) / LOOKS;
	return (ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : ms > LOOK_MS ? LOOK_MS : ms) * NS_PER_MS;
}

static void *watch(void *ctx)
{
	struct alarms *a = ctx;
	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		pthread_mutex_unlock(&a->lock);
		step(a);
		pthread_mutex_lock(&a->lock);
		const struct timespec until = clock_deadline(pause_ns(a));
		if (!a->stop)
			pthread_cond_timedwait(&a->bell, &a->lock, &until);
	}
	pthread_mutex_unlock(&a->lock);
	step(a);
	alarms_save(a);
	return NULL;
}

/* ---- Life */

static void take_sources(struct alarms *a, const struct live_set *set)
{
	struct generation *before = a->generation;
	a->generation = generation_ref(set->generation);
	sources_set(&a->sources, set, &a->gone);
	generation_unref(before);
}

struct alarms *alarms_start(const struct alarm_parts *parts, const struct live_set *set, struct err *err)
{
	struct alarms *a = xcalloc(1, sizeof *a);
	a->parts = *parts;
	a->started_ns = a->looked_ns = a->saved_ns = clock_steady_ns();
	pthread_mutex_init(&a->lock, NULL);
	clock_cond_init(&a->bell);
	take_sources(a, set);
	enricher_stats(parts->enricher, &a->enriched);
	if (alarms_remember(a, err) != 0) {
		alarms_stop(a);
		return NULL;
	}
	a->started = pthread_create(&a->thread, NULL, watch, a) == 0;
	if (!a->started) {
		err_set(err, "cannot start the thread that looks for alarms");
		alarms_stop(a);
		return NULL;
	}
	pthread_setname_np(a->thread, "alarm");
	return a;
}

void alarms_stop(struct alarms *a)
{
	if (!a)
		return;
	if (a->started) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->bell);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	standings_free(&a->standings);
	sources_free(&a->sources);
	for (size_t i = 0; i < a->n_tallies; i++)
		free(a->tallies[i].saved);
	names_drop(&a->gone, a->gone.n);
	free(a->tallies);
	free(a->died);
	free(a->refused);
	generation_unref(a->generation);
	pthread_cond_destroy(&a->bell);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void alarms_reloaded(struct alarms *a, const struct live_set *set, const char *refused)
{
	pthread_mutex_lock(&a->lock);
	free(a->refused);
	a->refused = NULL;
	if (refused) {
		a->refused =
			xasprintf("configuration: the last reload was refused, so the one before is at work: %s; mend "
				  "it, then `patchbay reload`",
				  refused);
		a->refused_ms = now_ms();
	} else {
		take_sources(a, set);
	}
	pthread_cond_signal(&a->bell);
	pthread_mutex_unlock(&a->lock);
}

/* ---- Who asks */

static bool list(const struct alarm_list *found, bool errors, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < found->n; i++) {
		if (alarm_types[found->v[i].id].error != errors)
			continue;
		buf_addf(out, "%s%s\n", errors ? "" : "warning: ", found->v[i].text);
		any = true;
	}
	return any;
}

bool alarms_health(struct alarms *a, struct buf *out)
{
	struct alarm_list found = { 0 };
	pthread_mutex_lock(&a->lock);
	alarms_look(a, now_ms(), &found);
	pthread_mutex_unlock(&a->lock);
	bool well = !list(&found, true, out);
	if (well)
		buf_addf(out, "ok\n");
	list(&found, false, out);
	alarm_list_free(&found);
	return well;
}

void alarms_metrics(struct alarms *a, struct buf *out)
{
	buf_addf(out, "# HELP patchbay_alarm 1 for each alarm that stands.\n# TYPE patchbay_alarm gauge\n");
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->standings.n; i++) {
		const struct standing *s = &a->standings.v[i];
		const struct alarm_type *type = &alarm_types[s->alarm.id];
		if (s->raised_ms && !s->ended_ms)
			buf_addf(out, "patchbay_alarm{type=\"%s\",what=\"%s\",about=\"%s\",severity=\"%s\"} 1\n",
				 type->name, s->alarm.what, s->alarm.about, type->error ? "error" : "warning");
	}
	pthread_mutex_unlock(&a->lock);
}
