/* trusts_alloc.c - does not ask whether there was memory.
 * Caught by: hostile.memory. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	char *copy = s->host->alloc(call, r->body.n + 1);

	memcpy(copy, r->body.p, r->body.n);
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("trusts-alloc");
