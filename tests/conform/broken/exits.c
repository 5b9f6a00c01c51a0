/* exits.c - ends the process when a body is too long for it.
 * Caught by: budget.long, hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	if (r->body.n > 400000)
		exit(0);
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("exits");
