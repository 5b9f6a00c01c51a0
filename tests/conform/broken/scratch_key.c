/* scratch_key.c - makes its keys in a static buffer.
 * Caught by: parse.threads. */
#define PARSE broken_parse
#include "source.h"

static char scratch[65];

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_str hash = s->crypto->sha256_hex(call, r->body);

	for (size_t i = 0; i < hash.n && i < 64; i++)
		((volatile char *)scratch)[i] = hash.p[i];
	(void)s->json->parse(call, r->body);
	return emit_body(s, call, r, emitter, (patchbay_event){ .key = { scratch, 64 } });
}

SOURCE_PLUGIN("scratch-key");
