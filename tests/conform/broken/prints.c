/* prints.c - prints what comes in.
 * Caught by: process.output. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	printf("%.*s\n", (int)r->body.n, r->body.p);
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("prints");
