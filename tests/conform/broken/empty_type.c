/* empty_type.c - emits events without a type.
 * Caught by: parse.events. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .type = PATCHBAY_S("") });
}

SOURCE_PLUGIN("empty-type");
