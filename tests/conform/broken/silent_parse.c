/* silent_parse.c - does not say what it did not understand.
 * Caught by: parse.malformed. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	if (r->body.n == 0 || (r->body.p[0] != '{' && r->body.p[0] != '['))
		return PATCHBAY_EMALFORMED;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("silent-parse");
