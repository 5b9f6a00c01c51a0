/* garbage_events.c - takes what is no JSON for an event.
 * Caught by: hostile.truncated, hostile.mutated, hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_event event = { .size = sizeof(event), .type = PATCHBAY_S("thing"), .data = r->body };

	if (r->body.n < 2 || r->body.p[0] != '{')
		return sound_parse(self, call, r, emitter);
	event.key = s->crypto->sha256_hex(call, r->body);
	return emitter->emit(emitter->ctx, &event);
}

SOURCE_PLUGIN("garbage-events");
