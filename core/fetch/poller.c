/* poller.c - see poller.h. */
#include "fetch/poller.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/seat.h"
#include "fetch/backoff.h"
#include "fetch/leash.h"
#include "guard/guard.h"
#include "plugin/ability.h"
#include "plugin/host.h"
#include "source/emission.h"

#include <patchbay/fetch.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_MS 20000
#define STEP_MS 60000
#define STEP_MEMORY ((size_t)256 << 20)
#define CURSOR_MAX 65536u
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LONGEST_MS 300000
#define LOOK_MS 20   /* how often it looks whether it may begin */
#define IDLE_MS 1000 /* a step that brought nothing is not repeated at once */
#define WAIT_MAX_MS (INT64_C(86400000) * 366)

struct polled { /* one source, its thread */
	struct journal *journal;
	struct generation *generation;
	const struct config_source *source; /* of that */
	struct seat *seat;                  /* of all of this name */
	patchbay_poll ability;
	struct instance *instance;
	patchbay_call call;
	struct journal_ticket ticket;
	struct buf cursor; /* the durable one */
	uint32_t failures; /* in a row */
	int64_t began_ns;  /* steady clock: of the first of them */
	pthread_t thread;
	bool started;
	struct leash leash;
	pthread_mutex_t lock; /* guards what follows */
	bool held;            /* it may not begin yet */
	struct poller_stats stats;
};

struct polled_list {
	struct polled **v;
	size_t n;
};

struct poller {
	struct journal *journal;
	pthread_mutex_t lock;       /* guards what follows; only [control] changes it */
	struct polled_list polled;  /* at work */
	struct polled_list leaving; /* replaced or removed */
};

struct poller_change {
	struct polled_list polled; /* kept and new ones */
	bool *is_new;
};

static bool is_parked(const struct polled *p, char *ret_why)
{
	return instance_is_parked(p->instance, ret_why) || guard_parked(GUARD_POLLING, p->source->name, ret_why);
}

/* ---- One step */

/* What the plugin brought, made durable. 1, 0 (it brought nothing new), -1. */
static int keep(struct polled *p, patchbay_str cursor, struct err *err)
{
	bool moved = cursor.n && !str_eq(cursor, buf_str(&p->cursor));
	if (!moved && p->ticket.n == 0)
		return 0;
	if (moved)
		journal_encode_cursor(&p->ticket, p->source->name, cursor);
	if (journal_append_wait(p->journal, &p->ticket, err) != 0)
		return -1;
	if (moved) {
		p->cursor.n = 0;
		buf_add_str(&p->cursor, cursor);
	}
	return 1;
}

enum stepped { STEP_FAILED = -1, STEP_DONE, STEP_ABANDONED };

/* DONE: *ret_again_ms as the plugin wants it. FAILED: nothing is kept, err says why. */
static enum stepped step(struct polled *p, int64_t *ret_again_ms, struct err *err)
{
	const patchbay_host *host = instance_host(p->instance);
	struct emission emission = { .source = p->source,
				     .call = &p->call,
				     .ticket = &p->ticket,
				     .received_ns = host->now_ns(host),
				     .note = STR("polled") };
	const patchbay_emitter emitter = emission_emitter(&emission);
	patchbay_str cursor = { "", 0 };
	p->ticket.n = 0;
	p->ticket.records.n = 0;
	p->ticket.quiet = true;
	*ret_again_ms = 0;
	char parked[256];
	if (is_parked(p, parked))
		return err_set(err, "%s", parked);
	call_begin(&p->call, STEP_MS);
	leash_calls(&p->leash);
	guard_enter(&(struct guard_note){ .call = GUARD_POLL,
					  .side = GUARD_POLLING,
					  .plugin = p->source->plugin->name,
					  .instance = p->source->name,
					  .limit_ms = 2 * STEP_MS });
	patchbay_status status = p->ability.poll(instance_self(p->instance), &p->call, buf_str(&p->cursor), &emitter,
						 &cursor, ret_again_ms);
	guard_leave();
	if (!leash_returns(&p->leash))
		return STEP_ABANDONED;
	if (*ret_again_ms < 0)
		*ret_again_ms = 0;
	if (*ret_again_ms > WAIT_MAX_MS)
		*ret_again_ms = WAIT_MAX_MS;
	if (emission.fault)
		return err_set(err, "what it brought is no good: %s", emission.fault);
	if (status != PATCHBAY_OK && p->call.why.n)
		return err_set(err, "%.*s", STR_ARG(p->call.why));
	if (status != PATCHBAY_OK)
		return err_set(err, "the plugin answered with status %d and no explanation", (int)status);
	if (cursor.n > CURSOR_MAX)
		return err_set(err, "the plugin's cursor has %zu bytes, more than the %u that it may have", cursor.n,
			       CURSOR_MAX);
	guard_works(GUARD_POLLING, p->source->name, GUARD_POLL);
	int kept = keep(p, cursor, err);
	if (kept < 0)
		return STEP_FAILED;
	if (kept == 0 && *ret_again_ms < IDLE_MS)
		*ret_again_ms = IDLE_MS;
	pthread_mutex_lock(&p->lock);
	p->stats.steps++;
	p->stats.events += emission.n;
	pthread_mutex_unlock(&p->lock);
	return STEP_DONE;
}

/* ---- The thread */

static int64_t failed(struct polled *p, int64_t again_ms, const struct err *why)
{
	if (p->failures++ == 0)
		p->began_ns = clock_steady_ns();
	int64_t delay = backoff_ms(p->failures, BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS);
	if (delay < again_ms)
		delay = again_ms;
	if (p->failures == 1)
		log_warning("source %s: nothing can be fetched now: %s; next try in %lld ms", p->source->name,
			    why->text, (long long)delay);
	pthread_mutex_lock(&p->lock);
	p->stats.failures++;
	if (!p->stats.trouble_since_ms)
		p->stats.trouble_since_ms = clock_wall_ns() / NS_PER_MS;
	snprintf(p->stats.reason, sizeof p->stats.reason, "%.255s", why->text);
	pthread_mutex_unlock(&p->lock);
	return delay;
}

static void works(struct polled *p)
{
	if (p->failures == 0)
		return;
	log_info("source %s: can be fetched from again, after %lld s and %u failed tries", p->source->name,
		 (long long)((clock_steady_ns() - p->began_ns) / NS_PER_S), p->failures);
	p->failures = 0;
	pthread_mutex_lock(&p->lock);
	p->stats.trouble_since_ms = 0;
	pthread_mutex_unlock(&p->lock);
}

static bool is_held(struct polled *p)
{
	pthread_mutex_lock(&p->lock);
	bool held = p->held;
	pthread_mutex_unlock(&p->lock);
	return held;
}

/* Waits until it may begin, and its predecessor has ended. False: it is time to stop. */
static bool sit_down(struct polled *p)
{
	while (is_held(p))
		if (!leash_wait(&p->leash, LOOK_MS))
			return false;
	while (!seat_take(p->seat, LOOK_MS))
		if (leash_stopping(&p->leash))
			return false;
	journal_source_cursor(p->journal, p->source->name, &p->cursor);
	return true;
}

static void *poll_main(void *ctx)
{
	struct polled *p = ctx;
	bool seated = sit_down(p);
	for (int64_t delay = 0; seated && leash_wait(&p->leash, delay);) {
		struct err err = { "" };
		enum stepped stepped = step(p, &delay, &err);
		if (stepped == STEP_ABANDONED)
			return NULL;
		if (stepped == STEP_DONE)
			works(p);
		else
			delay = failed(p, delay, &err);
	}
	if (seated)
		seat_leave(p->seat);
	leash_ends(&p->leash);
	return NULL;
}

/* ---- Life of one */

/* False: it is stuck in its plugin, and must stay as it is. */
static bool polled_destroy(struct polled *p)
{
	if (p->started) {
		leash_ask_to_stop(&p->leash);
		if (!leash_wait_for_end(&p->leash, LEASH_PATIENCE_MS)) {
			log_warning("source %s: polling does not come to an end; it is abandoned", p->source->name);
			return false;
		}
		pthread_join(p->thread, NULL);
	}
	instance_destroy(p->instance);
	call_fini(&p->call);
	buf_free(&p->cursor);
	buf_free(&p->ticket.records);
	leash_fini(&p->leash);
	seat_unref(p->seat);
	pthread_mutex_destroy(&p->lock);
	generation_unref(p->generation);
	free(p);
	return true;
}

static struct polled *polled_create(struct journal *journal, struct generation *g, const struct config_source *source,
				    const patchbay_poll *ability, struct err *err)
{
	struct polled *p = xcalloc(1, sizeof *p);
	p->journal = journal;
	p->generation = generation_ref(g);
	p->source = source;
	p->ability = *ability;
	snprintf(p->stats.source, sizeof p->stats.source, "%s", source->name);
	pthread_mutex_init(&p->lock, NULL);
	leash_init(&p->leash);
	call_init(&p->call, STEP_MEMORY);
	p->instance = instance_create(source->plugin, false, source->name, source->options, &source->secrets, err);
	if (p->instance)
		return p;
	polled_destroy(p);
	return NULL;
}

static int polled_start(struct polled *p, struct err *err)
{
	char name[16]; /* what the kernel keeps of it */
	p->held = true;
	if (pthread_create(&p->thread, NULL, poll_main, p) != 0)
		return err_set(err, "cannot start the thread that polls source '%s'", p->source->name);
	p->started = true;
	snprintf(name, sizeof name, "poll %.10s", p->source->name);
	pthread_setname_np(p->thread, name);
	return 0;
}

static void polled_release(struct polled *p)
{
	pthread_mutex_lock(&p->lock);
	p->held = false;
	pthread_mutex_unlock(&p->lock);
}

/* ---- Change */

static struct polled *find(const struct polled_list *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->v[i]->source->name, name) == 0)
			return in->v[i];
	return NULL;
}

static bool among(const struct polled_list *in, const struct polled *p)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->v[i] == p)
			return true;
	return false;
}

static void add(struct polled_list *to, struct polled *p)
{
	to->v = xrealloc(to->v, (to->n + 1) * sizeof(struct polled *));
	to->v[to->n++] = p;
}

static bool is_wanted(const struct polled *p)
{
	char why[256];
	if (instance_is_left_out(p->instance))
		return false;
	if (guard_left_out(GUARD_POLLING, p->source->name, why)) {
		log_error("source %s: nothing is fetched: %s", p->source->name, why);
		return false;
	}
	guard_enter(&(struct guard_note){ .call = GUARD_CREATE,
					  .side = GUARD_POLLING,
					  .plugin = p->source->plugin->name,
					  .instance = p->source->name,
					  .limit_ms = WANTED_MS });
	bool wanted = p->ability.wanted(instance_self(p->instance));
	guard_leave();
	return wanted;
}

/* 1: *ret; 0: it has nothing to poll; -1: err. */
static int create(struct poller *poller, struct generation *g, const struct config_source *source, struct polled **ret,
		  struct err *err)
{
	patchbay_poll ability;
	if (!ABILITY_GET(source->plugin->source, PATCHBAY_POLL, &ability, poll) || !ability.wanted)
		return 0;
	struct polled *p = polled_create(poller->journal, g, source, &ability, err);
	if (!p)
		return -1;
	struct polled *last = find(&poller->polled, source->name);
	if (!last)
		last = find(&poller->leaving, source->name);
	p->seat = last ? seat_ref(last->seat) : seat_create();
	bool wanted = is_wanted(p);
	if (wanted && polled_start(p, err) == 0) {
		*ret = p;
		return 1;
	}
	polled_destroy(p);
	return wanted ? -1 : 0;
}

struct poller_change *poller_prepare(struct poller *poller, struct generation *g, struct faults *faults)
{
	struct poller_change *change = xcalloc(1, sizeof *change);
	bool good = true;
	change->is_new = xcalloc(g->config->n_sources + 1, sizeof *change->is_new);
	for (size_t i = 0; i < g->config->n_sources; i++) {
		const struct config_source *source = &g->config->sources[i];
		struct polled *p = find(&poller->polled, source->name);
		struct err err = { "" };
		bool same = p && config_source_same(p->source, source);
		int rc = same ? 1 : create(poller, g, source, &p, &err);
		if (rc < 0) {
			fault_error(faults, source->line, source->column, "%s", err.text);
			good = false;
		} else if (rc > 0) {
			change->is_new[change->polled.n] = !same;
			add(&change->polled, p);
		}
	}
	if (good)
		return change;
	poller_abandon(change);
	return NULL;
}

void poller_commit(struct poller *poller, struct poller_change *change)
{
	struct polled_list before = poller->polled;
	pthread_mutex_lock(&poller->lock);
	poller->polled = change->polled;
	for (size_t i = 0; i < before.n; i++) {
		if (among(&poller->polled, before.v[i]))
			continue;
		add(&poller->leaving, before.v[i]);
		leash_ask_to_stop(&before.v[i]->leash);
	}
	pthread_mutex_unlock(&poller->lock);
	for (size_t i = 0; i < poller->polled.n; i++)
		if (change->is_new[i])
			polled_release(poller->polled.v[i]);
	free(before.v);
	free(change->is_new);
	free(change);
}

void poller_abandon(struct poller_change *change)
{
	for (size_t i = 0; change && i < change->polled.n; i++)
		if (change->is_new[i])
			polled_destroy(change->polled.v[i]);
	if (!change)
		return;
	free(change->polled.v);
	free(change->is_new);
	free(change);
}

bool poller_tidy(struct poller *poller)
{
	struct polled_list gone = { 0 };
	pthread_mutex_lock(&poller->lock);
	for (size_t i = 0; i < poller->leaving.n;) {
		struct polled *p = poller->leaving.v[i];
		if (!leash_has_ended(&p->leash)) {
			i++;
			continue;
		}
		add(&gone, p);
		poller->leaving.v[i] = poller->leaving.v[--poller->leaving.n];
	}
	bool wait = poller->leaving.n > 0;
	pthread_mutex_unlock(&poller->lock);
	for (size_t i = 0; i < gone.n; i++)
		polled_destroy(gone.v[i]);
	free(gone.v);
	return wait;
}

/* ---- Life */

struct poller *poller_start(struct journal *journal, struct generation *g, struct err *err)
{
	struct poller *poller = xcalloc(1, sizeof *poller);
	struct config_faults found = { 0 };
	struct faults faults = { .path = "", .list = &found };
	poller->journal = journal;
	pthread_mutex_init(&poller->lock, NULL);
	struct poller_change *change = poller_prepare(poller, g, &faults);
	if (change) {
		poller_commit(poller, change);
	} else {
		err_set(err, "%s", found.v[0].message);
		poller_stop(poller);
		poller = NULL;
	}
	config_faults_free(&found);
	return poller;
}

static void ask_to_stop(const struct polled_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		leash_ask_to_stop(&list->v[i]->leash);
}

void poller_ask_to_stop(struct poller *poller)
{
	if (!poller)
		return;
	ask_to_stop(&poller->polled);
	ask_to_stop(&poller->leaving);
}

static size_t destroy_all(struct polled_list *list)
{
	size_t stuck = 0;
	for (size_t i = 0; i < list->n; i++)
		stuck += !polled_destroy(list->v[i]);
	free(list->v);
	return stuck;
}

size_t poller_stop(struct poller *poller)
{
	if (!poller)
		return 0;
	poller_ask_to_stop(poller);
	size_t stuck = destroy_all(&poller->polled) + destroy_all(&poller->leaving);
	pthread_mutex_destroy(&poller->lock);
	free(poller);
	return stuck;
}

size_t poller_stats(struct poller *poller, struct poller_stats *ret, size_t max)
{
	pthread_mutex_lock(&poller->lock);
	size_t n = poller->polled.n;
	for (size_t i = 0; i < n && i < max; i++) {
		pthread_mutex_lock(&poller->polled.v[i]->lock);
		ret[i] = poller->polled.v[i]->stats;
		pthread_mutex_unlock(&poller->polled.v[i]->lock);
	}
	pthread_mutex_unlock(&poller->lock);
	return n;
}
