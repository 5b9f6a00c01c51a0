/* hangs.c - searches for ever in a body of NULs.
 * Caught by: hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	volatile size_t at = 0;

	while (r->body.n == 300 && r->body.p[at] == 0)
		at = (at + 1) % r->body.n;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("hangs");
