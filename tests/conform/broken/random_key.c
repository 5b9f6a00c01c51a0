/* random_key.c - its keys are random.
 * Caught by: parse.pure, parse.threads. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;

	return emit_body(self, call, r, emitter, (patchbay_event){ .key = patchbay_fmt(s->host, call, "%d", rand()) });
}

SOURCE_PLUGIN("random-key");
