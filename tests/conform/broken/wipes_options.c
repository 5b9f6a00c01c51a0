/* wipes_options.c - wipes the secret, which is the host's, once it has it.
 * Caught by: life.create, parse.pure. */
#define CREATE broken_create
#include "source.h"

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const struct sound_config *config = options;
	patchbay_status status = sound_create(host, call, options, self);

	if (status == PATCHBAY_OK)
		patchbay_wipe(config->secret.v[0]);
	return status;
}

SOURCE_PLUGIN("wipes-options");
