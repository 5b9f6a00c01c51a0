/* polled.c - see polled.h. */
#include "fetch/polled.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fetch/backoff.h"
#include "guard/guard.h"
#include "source/emission.h"

#include <stdio.h>
#include <stdlib.h>

#define STEP_MS 60000
#define STEP_MEMORY ((size_t)256 << 20)
#define CURSOR_MAX 65536u
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LONGEST_MS 300000
#define LOOK_MS 20   /* how often it looks whether it may begin */
#define IDLE_MS 1000 /* a step that brought nothing is not repeated at once */
#define WAIT_MAX_MS (INT64_C(86400000) * 366)

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
	char parked[GUARD_WHY_SIZE];
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
	if (!p->told)
		p->told = log_about_limited(&p->trouble, LOG_LEVEL_WARNING, &p->about,
					    "source %s: nothing can be fetched now: %s; next try in %lld ms",
					    p->source->name, why->text, (long long)delay);
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
	if (p->told)
		log_about(LOG_LEVEL_INFO, &p->about,
			  "source %s: can be fetched from again, after %lld s and %u failed tries", p->source->name,
			  (long long)((clock_steady_ns() - p->began_ns) / NS_PER_S), p->failures);
	p->told = false;
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

bool polled_destroy(struct polled *p)
{
	if (p->started) {
		leash_ask_to_stop(&p->leash);
		if (!leash_wait_for_end(&p->leash, LEASH_PATIENCE_MS)) {
			log_about(LOG_LEVEL_WARNING, &p->about,
				  "source %s: polling does not come to an end; it is abandoned", p->source->name);
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

struct polled *polled_create(struct journal *journal, struct generation *g, const struct config_source *source,
			     const patchbay_poll *ability, struct err *err)
{
	struct polled *p = xcalloc(1, sizeof *p);
	p->journal = journal;
	p->generation = generation_ref(g);
	p->source = source;
	p->about = (struct log_about){ .source = source->name, .plugin = source->plugin->name };
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

int polled_start(struct polled *p, struct err *err)
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

void polled_release(struct polled *p)
{
	pthread_mutex_lock(&p->lock);
	p->held = false;
	pthread_mutex_unlock(&p->lock);
}

void polled_stats(struct polled *p, struct poller_stats *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	pthread_mutex_unlock(&p->lock);
}
