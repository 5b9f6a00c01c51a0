/* address_key.c - its keys are made of where the body is in memory.
 * Caught by: parse.keys, parse.pure. */
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

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	char text[40];

	snprintf(text, sizeof(text), "%p", (const void *)r->body.p);
	return emit(self, call, r, emitter, (patchbay_event){ .key = patchbay_cstr(text) });
}

SOURCE_PLUGIN("address-key");
