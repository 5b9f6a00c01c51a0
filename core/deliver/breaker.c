/* trouble.c - a destination that does not work: since when, why, when it is tried again, and what the operator
 * reads about it: a line when it begins and a line when it is over, not one for each event. */
#include "deliver/worker.h"

#include "base/clock.h"

#include <stdio.h>

#define BAD_SINK_PROBE_MS 60000

void worker_note_reason(struct worker *w, patchbay_str why)
{
	pthread_mutex_lock(&w->lock);
	snprintf(w->stats.reason, sizeof(w->stats.reason), "%.*s", STR_ARG(why));
	pthread_mutex_unlock(&w->lock);
}

void worker_failed(struct worker *w, bool needs_person, int64_t after_ms, patchbay_str why)
{
	struct trouble *trouble = &w->trouble;
	bool news = !trouble->on;
	if (news) {
		trouble->on = true;
		trouble->failures = 0;
		trouble->began_ns = clock_steady_ns();
	}
	trouble->failures++;
	trouble->needs_person = needs_person;
	int64_t delay = needs_person ? retry_longest_ms(&w->sink->retry)
				     : retry_delay_ms(&w->sink->retry, trouble->failures, &w->random);
	if (needs_person && delay > BAD_SINK_PROBE_MS)
		delay = BAD_SINK_PROBE_MS;
	delay = delay > after_ms ? delay : after_ms;
	trouble->next_ns = clock_steady_ns() + delay * NS_PER_MS;
	worker_note_reason(w, why);
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

void worker_works(struct worker *w)
{
	if (!w->trouble.on)
		return;
	log_info("sink %s: works again, after %lld s and %u failed tries", w->sink->name,
		 (long long)((clock_steady_ns() - w->trouble.began_ns) / NS_PER_S), w->trouble.failures);
	w->trouble = (struct trouble){ 0 };
	pthread_mutex_lock(&w->lock);
	w->stats.trouble_since_ms = 0;
	pthread_mutex_unlock(&w->lock);
}
