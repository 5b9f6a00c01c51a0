/* sets_environment.c - sets an environment variable.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	setenv("TZ", "UTC", 1);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("sets-environment");
