/* aborts.c - aborts when a body is no JSON.
 * Caught by: hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;

	if (r->body.n > 400000 && !s->json->parse(call, r->body))
		abort();
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("aborts");
