/* odd_dedupe.c - emits events with a `dedupe` that does not exist.
 * Caught by: parse.events. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .dedupe = 9 });
}

SOURCE_PLUGIN("odd-dedupe");
