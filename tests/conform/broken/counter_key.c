/* counter_key.c - numbers its events.
 * Caught by: parse.pure.
 * It may fail as well: parse.threads. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	static unsigned long counter;
	char text[40];

	snprintf(text, sizeof(text), "%lu", __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED));
	return emit_body(self, call, r, emitter, (patchbay_event){ .key = patchbay_cstr(text) });
}

SOURCE_PLUGIN("counter-key");
