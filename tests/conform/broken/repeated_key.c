/* repeated_key.c - gives all events of a request the same key.
 * Caught by: budget.long, parse.keys. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_event event = { .size = sizeof(event), .type = PATCHBAY_S("thing"), .data = r->body };
	patchbay_status status = PATCHBAY_OK;

	if (!root)
		return PATCHBAY_EMALFORMED;
	event.key = s->crypto->sha256_hex(call, r->body);
	if (s->json->type(root) != PATCHBAY_JSON_ARRAY)
		return emitter->emit(emitter->ctx, &event);
	for (uint32_t i = 0; i < s->json->count(root) && status == PATCHBAY_OK; i++) {
		event.data = s->json->raw(s->json->at(call, root, i));
		status = emitter->emit(emitter->ctx, &event);
	}
	return status;
}

SOURCE_PLUGIN("repeated-key");
