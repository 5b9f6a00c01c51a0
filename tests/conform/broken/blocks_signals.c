/* blocks_signals.c - blocks signals for the thread that calls it.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <signal.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("blocks-signals");
