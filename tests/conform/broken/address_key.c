/* address_key.c - its keys are made of where the body is in memory.
 * Caught by: parse.keys, parse.pure. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	char text[40];

	snprintf(text, sizeof(text), "%p", (const void *)r->body.p);
	return emit_body(self, call, r, emitter, (patchbay_event){ .key = patchbay_cstr(text) });
}

SOURCE_PLUGIN("address-key");
