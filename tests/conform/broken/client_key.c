/* client_key.c - its keys depend on from where a request came.
 * Caught by: parse.pure. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status emit(const struct sound *s, patchbay_call *call, const patchbay_request *r,
			    const patchbay_emitter *emitter, patchbay_str key)
{
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_event event = { .size = sizeof(event), .type = PATCHBAY_S("thing"), .key = key, .data = r->body };

	if (!root)
		return PATCHBAY_EMALFORMED;
	return emitter->emit(emitter->ctx, &event);
}

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_str parts[] = { r->client, PATCHBAY_S("/"), s->crypto->sha256_hex(call, r->body) };

	return emit(s, call, r, emitter, patchbay_join(s->host, call, parts, 3));
}

SOURCE_PLUGIN("client-key");
