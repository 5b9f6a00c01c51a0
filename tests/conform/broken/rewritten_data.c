/* rewritten_data.c - makes the data of its events itself.
 * Caught by: parse.events. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .data = PATCHBAY_S("{\"id\":1}") });
}

SOURCE_PLUGIN("rewritten-data");
