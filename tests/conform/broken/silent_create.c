/* silent_create.c - fails without a word when a service is missing.
 * Caught by: life.bare_host. */
#define CREATE broken_create
#include "source.h"

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	return host->service(host, PATCHBAY_JSON) ? sound_create(host, call, options, self) : PATCHBAY_ECONFIG;
}

SOURCE_PLUGIN("silent-create");
