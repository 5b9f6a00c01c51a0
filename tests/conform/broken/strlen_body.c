/* strlen_body.c - takes the body for a C string.
 * Caught by: hostile.truncated, hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	if (strlen(r->body.p) == 0)
		return PATCHBAY_EMALFORMED;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("strlen-body");
