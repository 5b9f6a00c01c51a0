/* short_hash_key.c - its keys are 16 bits of a hash.
 * Caught by: parse.keys. */
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
	uint16_t h = 1;

	for (size_t i = 0; i < r->body.n; i++)
		h = (uint16_t)(h * 31 + (unsigned char)r->body.p[i]);
	return emit(s, call, r, emitter, patchbay_fmt(s->host, call, "%04x", h));
}

SOURCE_PLUGIN("short-hash-key");
