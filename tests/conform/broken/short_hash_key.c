/* short_hash_key.c - its keys are 16 bits of a hash.
 * Caught by: parse.keys. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	uint16_t h = 1;

	for (size_t i = 0; i < r->body.n; i++)
		h = (uint16_t)(h * 31 + (unsigned char)r->body.p[i]);
	return emit_body(self, call, r, emitter, (patchbay_event){ .key = patchbay_fmt(s->host, call, "%04x", h) });
}

SOURCE_PLUGIN("short-hash-key");
