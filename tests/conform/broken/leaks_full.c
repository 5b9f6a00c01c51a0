/* leaks_full.c - forgets what it had when the host takes no more events.
 * Caught by: life.calls. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	char *work = malloc(256);
	patchbay_status status;

	if (!work)
		return PATCHBAY_ENOMEM;
	status = sound_parse(self, call, r, emitter);
	if (status != PATCHBAY_ENOMEM)
		free(work);
	return status;
}

SOURCE_PLUGIN("leaks-full");
