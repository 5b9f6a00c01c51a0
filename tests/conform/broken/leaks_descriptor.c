/* leaks_descriptor.c - opens a file in create(), and never closes it.
 * Caught by: life.cycles. */
#define CREATE broken_create
#include "source.h"

#include <fcntl.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	(void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("leaks-descriptor");
