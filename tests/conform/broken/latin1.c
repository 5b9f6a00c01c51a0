/* latin1.c - emits a subject that is not UTF-8.
 * Caught by: parse.events. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .subject = PATCHBAY_S("caf\xe9") });
}

SOURCE_PLUGIN("latin1");
