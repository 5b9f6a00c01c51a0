/* scratch_key.c - makes its keys in a static buffer.
 * Caught by: parse.threads. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status emit(const struct sound *s, patchbay_call *call, const patchbay_request *r,
			    const patchbay_emitter *emitter, patchbay_event event)
{
	const patchbay_json *root = s->json->parse(call, r->body);

	if (s->json->type(root) != PATCHBAY_JSON_OBJECT && s->json->type(root) != PATCHBAY_JSON_ARRAY)
		return PATCHBAY_EMALFORMED;
	event.size = sizeof(event);
	if (!event.type.p)
		event.type = PATCHBAY_S("thing");
	if (!event.data.p)
		event.data = r->body;
	return emitter->emit(emitter->ctx, &event);
}

static char scratch[65];

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_str hash = s->crypto->sha256_hex(call, r->body);

	for (size_t i = 0; i < hash.n && i < 64; i++)
		((volatile char *)scratch)[i] = hash.p[i];
	(void)s->json->parse(call, r->body);
	return emit(s, call, r, emitter, (patchbay_event){ .key = { scratch, 64 } });
}

SOURCE_PLUGIN("scratch-key");
