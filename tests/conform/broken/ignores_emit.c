/* ignores_emit.c - goes on when the host takes no more events.
 * Caught by: parse.refusal, hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	patchbay_status status = sound_parse(self, call, r, emitter);

	return status == PATCHBAY_ENOMEM ? PATCHBAY_OK : status;
}

SOURCE_PLUGIN("ignores-emit");
