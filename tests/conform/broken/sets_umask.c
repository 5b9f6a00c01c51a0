/* sets_umask.c - changes the umask.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <sys/stat.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	umask(0);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("sets-umask");
