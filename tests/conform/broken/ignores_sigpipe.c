/* ignores_sigpipe.c - decides for the process what SIGPIPE means.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <signal.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	signal(SIGPIPE, SIG_IGN);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("ignores-sigpipe");
