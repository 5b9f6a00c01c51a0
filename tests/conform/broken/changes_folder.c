/* changes_folder.c - goes to another working directory.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <unistd.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	(void)!chdir("/");
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("changes-folder");
