/* breaker.c - a destination that does not work: since when, why, when it is tried again, and what the operator
 * reads about it: a line when it begins and a line when it is over, not one for each event. */
#include "deliver/worker.h"

#include "base/clock.h"

#include <stdio.h>

#define PERSON_PROBE_MS 60000 /* at most so long until it is noticed that somebody has mended it */
#define ROW_MAX 5             /* events in a row that are to be retried, */
#define CONFIG_ROW_MAX 20 /* or may not be delivered as things are configured: so many dead letters, then they wait */
#define ASKED_MAX_MS (INT64_C(24) * 3600 * 1000)
#define LASTING_MS 10000      /* trouble that lasts is put on record; so that what comes and goes costs nothing, */
#define LASTING_ASKED_MS 1000 /* and what the destination asks for, if a restart would break it */

void breaker_note_reason(struct worker *w, patchbay_str why)
{
	pthread_mutex_lock(&w->lock);
	snprintf(w->stats.reason, sizeof(w->stats.reason), "%.*s", STR_ARG(why));
	pthread_mutex_unlock(&w->lock);
}

/* On record, too, so that a restart neither makes it younger nor forgets what the destination has asked for. */
static void remember(struct worker *w, int64_t since_ms, int64_t not_before_ms)
{
	struct err err = { 0 };
	if (w->trouble_ms == since_ms && w->not_before_ms == not_before_ms)
		return;
	if (journal_sink_trouble(w->journal, w->sink->name, since_ms, not_before_ms, &err) < 0) {
		log_about_limited(&w->unsettleable, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name, err.text);
		return;
	}
	w->trouble_ms = since_ms;
	w->not_before_ms = not_before_ms;
}

static void begin(struct worker *w)
{
	int64_t now_ms = worker_now_ms(w);
	bool known = w->trouble_ms && w->trouble_ms <= now_ms;
	w->breaker.open = true;
	w->breaker.began_ms = known ? w->trouble_ms : now_ms;
	w->breaker.began_ns = clock_steady_ns() - (now_ms - w->breaker.began_ms) * NS_PER_MS;
	pthread_mutex_lock(&w->lock);
	w->stats.trouble_since_ms = w->breaker.began_ms;
	pthread_mutex_unlock(&w->lock);
}

void breaker_restore(struct worker *w)
{
	int64_t left_ms = w->not_before_ms - worker_now_ms(w);
	if (left_ms <= 0 || left_ms > ASKED_MAX_MS)
		return;
	begin(w);
	w->breaker.limited = true;
	w->breaker.next_ns = clock_steady_ns() + left_ms * NS_PER_MS;
	w->breaker.told = true; /* before the restart */
	breaker_note_reason(w, STR("it asked, before the restart, not to be called earlier"));
}

void breaker_failed(struct worker *w, bool needs_person, int64_t after_ms, const struct id *event, patchbay_str why)
{
	struct breaker *breaker = &w->breaker;
	const struct log_about about = worker_about(w, event);
	if (!breaker->open)
		begin(w);
	after_ms = after_ms < ASKED_MAX_MS ? after_ms : ASKED_MAX_MS;
	breaker->failed_ns = clock_steady_ns();
	breaker->needs_person = needs_person;
	pthread_mutex_lock(&w->lock);
	w->stats.broken = needs_person;
	pthread_mutex_unlock(&w->lock);
	breaker->limited = after_ms > 0 && !needs_person; /* it works, and says when it takes more */
	breaker->failures += !breaker->limited;
	int64_t delay = after_ms;
	if (!breaker->limited)
		delay = retry_probe_ms(&w->sink->retry, breaker->failures, &w->random);
	if (needs_person && delay > PERSON_PROBE_MS)
		delay = PERSON_PROBE_MS;
	delay = delay > after_ms ? delay : after_ms;
	breaker->next_ns = clock_steady_ns() + delay * NS_PER_MS;
	int64_t now_ms = worker_now_ms(w);
	remember(w, now_ms - breaker->began_ms >= LASTING_MS ? breaker->began_ms : w->trouble_ms,
		 after_ms >= LASTING_ASKED_MS ? now_ms + after_ms : 0);
	breaker_note_reason(w, why);
	/* What comes and goes is told of now and then; what stays is, even if another was told of just before. */
	if (needs_person)
		breaker->told |= log_about_limited(
			&w->bad_sink, LOG_LEVEL_ERROR, &about,
			"sink %s: nothing can be delivered until this is mended: %.*s; next try in %lld ms",
			w->sink->name, STR_ARG(why), (long long)delay);
	else if (!breaker->told)
		breaker->told = log_about_limited(&w->down, LOG_LEVEL_WARNING, &about,
						  "sink %s: nothing can be delivered now: %.*s; next try in %lld ms",
						  w->sink->name, STR_ARG(why), (long long)delay);
}

void breaker_defer(struct worker *w, int64_t after_ms)
{
	int64_t next_ns = clock_steady_ns() + after_ms * NS_PER_MS;
	if (next_ns > w->breaker.next_ns)
		w->breaker.next_ns = next_ns;
}

void breaker_events_failed(struct worker *w, uint32_t n, bool needs_person, const struct id *event, patchbay_str why)
{
	w->breaker.in_row += n;
	if (w->breaker.in_row >= (needs_person ? CONFIG_ROW_MAX : ROW_MAX) || w->breaker.open)
		breaker_failed(w, needs_person, 0, event, why);
}

void breaker_works(struct worker *w)
{
	w->breaker.in_row = 0;
	remember(w, 0, 0);
	if (!w->breaker.open)
		return;
	if (w->breaker.told)
		log_about(LOG_LEVEL_INFO, &w->about, "sink %s: works again, after %lld s and %u failed tries",
			  w->sink->name, (long long)((clock_steady_ns() - w->breaker.began_ns) / NS_PER_S),
			  w->breaker.failures);
	w->breaker = (struct breaker){ 0 };
	pthread_mutex_lock(&w->lock);
	w->stats.trouble_since_ms = 0;
	w->stats.broken = false;
	pthread_mutex_unlock(&w->lock);
}

bool breaker_is_hopeless(const struct worker *w)
{
	int64_t give_up_ms = retry_give_up_ms(&w->sink->retry);
	return w->breaker.open && give_up_ms > 0 && clock_steady_ns() - w->breaker.began_ns >= give_up_ms * NS_PER_MS;
}
