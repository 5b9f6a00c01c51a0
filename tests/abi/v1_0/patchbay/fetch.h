/* patchbay/fetch.h - optional abilities of a source: to fetch events by itself, and to fetch details of an
 * event before it is routed. Each is called on an instance of its own, one [delivery] call at a time. */
#ifndef PATCHBAY_FETCH_H
#define PATCHBAY_FETCH_H

#include <patchbay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_POLL "patchbay.poll/1"

typedef struct patchbay_poll {
	uint32_t size;
	uint32_t reserved;
	/* [control] Is there anything to poll, as this instance is configured? */
	bool (*wanted)(const void *self);
	/* [delivery], 60 s. One step, a page say: emits 0..n events, which become durable in one commit with *ret_cursor
	 * (comes empty; empty = unchanged; at most 65536 bytes). `cursor` is the last one that became durable, empty at
	 * the very first step. *ret_again_ms: how long until the next step, 0 = at once. An event that was emitted
	 * before, by its dedupe key, is dropped without a trace. OK: as said. RETRY, DOWN, EBADSINK, all explained:
	 * nothing is kept, the host backs off (not less than *ret_again_ms) and repeats the step. */
	patchbay_status (*poll)(void *self, patchbay_call *, patchbay_str cursor, const patchbay_emitter *,
	                        patchbay_str *ret_cursor, int64_t *ret_again_ms);
} patchbay_poll;

#define PATCHBAY_ENRICH "patchbay.enrich/1"

typedef struct patchbay_enrich {
	uint32_t size;
	uint32_t reserved;
	/* [delivery], 30 s. For an event that parse emitted with PATCHBAY_EVENT_ENRICH. OK: *ret_details is JSON. RETRY:
	 * ask again, after the host's back-off. Anything else: it is routed without details, and what was explained is
	 * said with it. How long an event may wait for its details is for the plugin to decide: see event->received_ns. */
	patchbay_status (*enrich)(void *self, patchbay_call *, const patchbay_delivery *event,
				  patchbay_str *ret_details);
} patchbay_enrich;

#ifdef __cplusplus
}
#endif
#endif
