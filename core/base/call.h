/* call.h - what stands behind the SDK's opaque patchbay_call: the memory, the deadline and the sentence
 * of one call into a plugin (verify and parse of one request share one). Not shared between threads. */
#ifndef BASE_CALL_H
#define BASE_CALL_H

#include "base/arena.h"

#include <stdint.h>

struct json_doc;

struct patchbay_call {
	struct arena arena;
	int64_t deadline_ns;       /* steady clock; 0 = none */
	patchbay_str why;          /* in the arena; "" until explained */
	struct json_doc *json;     /* texts parsed in this call, see json.h; in the arena */
	void *cache;               /* what expr keeps for the event at hand */
	void (*cache_free)(void *);
};

void call_init(struct patchbay_call *, size_t memory_limit);
/* Forgets what the last call allocated, said and cached; sets the deadline, timeout_ms from now (0 = none). */
void call_begin(struct patchbay_call *, int64_t timeout_ms);
void call_fini(struct patchbay_call *);
void call_explain(struct patchbay_call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
