/* client_key.c - its keys depend on from where a request came.
 * Caught by: parse.pure. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_str parts[] = { r->client, PATCHBAY_S("/"), s->crypto->sha256_hex(call, r->body) };

	return emit_body(self, call, r, emitter, (patchbay_event){ .key = patchbay_join(s->host, call, parts, 3) });
}

SOURCE_PLUGIN("client-key");
