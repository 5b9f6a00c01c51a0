/* leaks_call.c - every request leaves a little memory behind.
 * Caught by: life.calls. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	char *volatile copy = malloc(r->body.n + 16);

	(void)copy;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("leaks-call");
