/* swallows.c - takes what it does not understand for no event.
 * Caught by: parse.malformed. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;

	if (!s->json->parse(call, r->body))
		return PATCHBAY_OK;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("swallows");
