/* broken_type.c - its types have the line feed in them that its table has.
 * Caught by: parse.events. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_event event = { .size = sizeof(event), .type = PATCHBAY_S("thing\n"), .data = r->body };

	return s->json->parse(call, r->body) ? emitter->emit(emitter->ctx, &event) : PATCHBAY_EMALFORMED;
}

SOURCE_PLUGIN("broken-type");
