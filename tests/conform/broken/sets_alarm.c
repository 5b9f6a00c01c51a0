/* sets_alarm.c - sets an alarm.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <unistd.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	alarm(3600);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("sets-alarm");
