/* test_act_threads.c - sinks of one plugin work at the same time, each in a thread of its own. */
#include "conform/tests.h"

#include "base/clock.h"
#include "conform/deed.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define RACE_MS 400 /* as long as it takes to meet another thread in the middle of something, on a busy machine */

struct doer {
	pthread_t id;
	struct guest guest;
	struct patchbay_delivery events[DEED_EVENTS];
	const struct http_answer_fake *good;
	char fault[300];
};

static void *act_at_once(void *p)
{
	struct doer *doer = p;
	const patchbay_sink *sink = doer->guest.kit->plugin->sink;
	const int64_t until = clock_steady_ns() + RACE_MS * NS_PER_MS;

	for (size_t i = 0; clock_steady_ns() < until && !doer->fault[0]; i++) {
		const patchbay_delivery *event = &doer->events[i % DEED_EVENTS];
		patchbay_result result = { PATCHBAY_RETRY, 0, STR("") };
		patchbay_str checkpoint = STR("");
		http_fake_set(doer->good, NULL, 0);
		call_begin(&doer->guest.call, 60000);
		sink->act(doer->guest.self, &doer->guest.call, &event, 1, &result, &checkpoint);
		if (result.status == PATCHBAY_OK && http_fake_requests() > 0 && !http_fake_said(event->id))
			snprintf(doer->fault, sizeof(doer->fault), "what it sent for event %.*s is another's",
				 STR_ARG(event->id));
	}
	return NULL;
}

/* The answer with which it is content, if what it then sends tells of the event; else NULL. */
static const struct http_answer_fake *find_telling(struct deed *deed)
{
	for (size_t i = 0; i < deed_n_good; i++) {
		http_fake_set(&deed_good[i], NULL, 0);
		if (deed_act(deed, 1) && http_fake_said(deed->events[0].id))
			return &deed_good[i];
	}
	return NULL;
}

void test_act_threads(struct kit *kit)
{
	struct doer *doers = kit_alloc(kit, THREADS * sizeof(*doers));
	struct deed deed;

	process_isolate_network();
	deed_open(&deed, kit);
	const struct http_answer_fake *good = deed.has_checkpoint ? NULL : find_telling(&deed);
	if (deed.has_checkpoint)
		kit_skip(kit, "it keeps a checkpoint, so there is one of it");
	if (!good)
		kit_skip(kit, "it sends nothing by " PATCHBAY_HTTP " that names the event");
	for (size_t i = 0; i < THREADS; i++) {
		deed_fill(&deed, DEED_EVENTS);
		doers[i].good = good;
		memcpy(doers[i].events, deed.events, sizeof(deed.events));
		guest_open(&doers[i].guest, kit, SIDE_SINK, 0);
	}
	kit_what(kit, "%d sinks, each in its thread", THREADS);
	kit_enter(kit, "act()");
	kit->muted = true;
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&doers[i].id, NULL, act_at_once, &doers[i]) != 0)
			kit_fail(kit, "a thread could not be started");
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(doers[i].id, NULL);
	kit->muted = false;
	kit_leave(kit, "act()");
	for (size_t i = 0; i < THREADS; i++) {
		if (doers[i].fault[0])
			kit_fail(kit,
				 "when %d sinks work at the same time, %s; they must share nothing that changes: no "
				 "static "
				 "buffer",
				 THREADS, doers[i].fault);
		guest_close(&doers[i].guest);
	}
	deed_close(&deed);
}
