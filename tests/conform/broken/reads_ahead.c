/* reads_ahead.c - looks at the first byte of a body that may be empty.
 * Caught by: parse.malformed, hostile.odd.
 * It may fail as well: hostile.truncated. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	if (r->body.p[0] == '<')
		return PATCHBAY_EMALFORMED;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("reads-ahead");
