/* same_key.c - every event has the same key.
 * Caught by: parse.keys. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .key = PATCHBAY_S("key") });
}

SOURCE_PLUGIN("same-key");
