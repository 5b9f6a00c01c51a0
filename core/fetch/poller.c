/* poller.c - see poller.h. */
#include "fetch/poller.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
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

#define STEP_MS 60000
#define STEP_MEMORY ((size_t)256 << 20)
#define CURSOR_MAX 65536u
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LONGEST_MS 300000
#define IDLE_MS 1000 /* a step that brought nothing is not repeated at once */
#define WAIT_MAX_MS (INT64_C(86400000) * 366)

struct polled { /* one source, its thread */
	struct journal *journal;
	const struct config_source *source;
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
	struct poller_stats stats;
};

struct poller {
	struct polled **v;
	size_t n;
};

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
	if (instance_is_parked(p->instance, parked))
		return err_set(err, "%s", parked);
	call_begin(&p->call, STEP_MS);
	leash_calls(&p->leash);
	guard_enter(&(struct guard_note){ .call = GUARD_POLL,
					  .side = GUARD_SOURCE,
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
	guard_works(GUARD_SOURCE, p->source->name);
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

static void *poll_main(void *ctx)
{
	struct polled *p = ctx;
	for (int64_t delay = 0; leash_wait(&p->leash, delay);) {
		struct err err = { "" };
		enum stepped stepped = step(p, &delay, &err);
		if (stepped == STEP_ABANDONED)
			return NULL;
		if (stepped == STEP_DONE)
			works(p);
		else
			delay = failed(p, delay, &err);
	}
	leash_ends(&p->leash);
	return NULL;
}

/* ---- Life */

/* False: it is stuck in its plugin, and must stay as it is. */
static bool polled_destroy(struct polled *p)
{
	if (p->started) {
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
	pthread_mutex_destroy(&p->lock);
	free(p);
	return true;
}

static struct polled *polled_create(struct journal *journal, const struct config_source *source,
				    const patchbay_poll *ability, struct err *err)
{
	struct polled *p = xcalloc(1, sizeof *p);
	p->journal = journal;
	p->source = source;
	p->ability = *ability;
	p->stats.source = source->name;
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
	journal_source_cursor(p->journal, p->source->name, &p->cursor);
	if (pthread_create(&p->thread, NULL, poll_main, p) != 0)
		return err_set(err, "cannot start the thread that polls source '%s'", p->source->name);
	p->started = true;
	snprintf(name, sizeof name, "poll %.10s", p->source->name);
	pthread_setname_np(p->thread, name);
	return 0;
}

struct poller *poller_start(struct journal *journal, const struct config *config, struct err *err)
{
	struct poller *poller = xcalloc(1, sizeof *poller);
	poller->v = xcalloc(config->n_sources + 1, sizeof(struct polled *));
	for (size_t i = 0; i < config->n_sources; i++) {
		const struct config_source *source = &config->sources[i];
		patchbay_poll ability;
		if (!ABILITY_GET(source->plugin->source, PATCHBAY_POLL, &ability, poll) || !ability.wanted)
			continue;
		struct polled *p = polled_create(journal, source, &ability, err);
		if (!p)
			goto fail;
		if (instance_is_parked(p->instance, NULL) || !ability.wanted(instance_self(p->instance))) {
			polled_destroy(p);
			continue;
		}
		poller->v[poller->n++] = p;
		if (polled_start(p, err) != 0)
			goto fail;
	}
	return poller;
fail:
	poller_stop(poller);
	return NULL;
}

void poller_ask_to_stop(struct poller *poller)
{
	for (size_t i = 0; poller && i < poller->n; i++)
		leash_ask_to_stop(&poller->v[i]->leash);
}

size_t poller_stop(struct poller *poller)
{
	size_t stuck = 0;
	if (!poller)
		return 0;
	poller_ask_to_stop(poller);
	for (size_t i = 0; i < poller->n; i++)
		stuck += !polled_destroy(poller->v[i]);
	free(poller->v);
	free(poller);
	return stuck;
}

size_t poller_stats(struct poller *poller, struct poller_stats *ret, size_t max)
{
	for (size_t i = 0; i < poller->n && i < max; i++) {
		pthread_mutex_lock(&poller->v[i]->lock);
		ret[i] = poller->v[i]->stats;
		pthread_mutex_unlock(&poller->v[i]->lock);
	}
	return poller->n;
}
