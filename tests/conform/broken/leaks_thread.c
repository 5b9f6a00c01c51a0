/* leaks_thread.c - starts a thread in create(), which never ends.
 * Caught by: life.cycles.
 * It may fail as well: life.create. */
#define CREATE broken_create
#include "source.h"

#include <pthread.h>
#include <unistd.h>

static void *wait_for_ever(void *p)
{
	for (;;)
		pause();
	return p;
}

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_ever, NULL) == 0)
		pthread_detach(thread);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("leaks-thread");
