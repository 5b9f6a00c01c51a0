/* breaker.c - a destination that does not work: since when, why, when it is tried again, and what the operator
 * reads about it: a line when it begins and a line when it is over, not one for each event. */
#include "deliver/worker.h"

#include "base/clock.h"

#include <stdio.h>

#define PERSON_PROBE_MS 60000 /* at most so long until it is noticed that somebody has mended it */
#define ROW_MAX 5

void breaker_note_reason(struct worker *w, patchbay_str why)
{
	pthread_mutex_lock(&w->lock);
	snprintf(w->stats.reason, sizeof(w->stats.reason), "%.*s", STR_ARG(why));
	pthread_mutex_unlock(&w->lock);
}

void breaker_failed(struct worker *w, bool needs_person, int64_t after_ms, patchbay_str why)
{
	struct breaker *breaker = &w->breaker;
	bool news = !breaker->open;
	if (news) {
		breaker->open = true;
		breaker->failures = 0;
		breaker->began_ns = clock_steady_ns();
	}
	breaker->failures++;
	breaker->needs_person = needs_person;
	int64_t delay = retry_probe_ms(&w->sink->retry, breaker->failures, &w->random);
	if (needs_person && delay > PERSON_PROBE_MS)
		delay = PERSON_PROBE_MS;
	delay = delay > after_ms ? delay : after_ms;
	breaker->next_ns = clock_steady_ns() + delay * NS_PER_MS;
	breaker_note_reason(w, why);
	pthread_mutex_lock(&w->lock);
	if (!w->stats.trouble_since_ms)
		w->stats.trouble_since_ms = clock_wall_ns() / NS_PER_MS;
	pthread_mutex_unlock(&w->lock);
	if (needs_person)
		log_limited(&w->bad_sink, LOG_LEVEL_ERROR,
			    "sink %s: nothing can be delivered until this is mended: %.*s; next try in %lld ms",
			    w->sink->name, STR_ARG(why), (long long)delay);
	else if (news)
		log_warning("sink %s: nothing can be delivered now: %.*s; next try in %lld ms", w->sink->name,
			    STR_ARG(why), (long long)delay);
}

void breaker_events_failed(struct worker *w, uint32_t n, bool needs_person, patchbay_str why)
{
	w->breaker.in_row += n;
	if (w->breaker.in_row >= ROW_MAX || w->breaker.open)
		breaker_failed(w, needs_person, 0, why);
}

void breaker_works(struct worker *w)
{
	w->breaker.in_row = 0;
	if (!w->breaker.open)
		return;
	log_info("sink %s: works again, after %lld s and %u failed tries", w->sink->name,
		 (long long)((clock_steady_ns() - w->breaker.began_ns) / NS_PER_S), w->breaker.failures);
	w->breaker = (struct breaker){ 0 };
	pthread_mutex_lock(&w->lock);
	w->stats.trouble_since_ms = 0;
	pthread_mutex_unlock(&w->lock);
}

bool breaker_is_hopeless(const struct worker *w)
{
	int64_t give_up_ms = retry_give_up_ms(&w->sink->retry);
	return w->breaker.open && give_up_ms > 0 && clock_steady_ns() - w->breaker.began_ns >= give_up_ms * NS_PER_MS;
}
