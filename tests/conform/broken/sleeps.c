/* sleeps.c - waits in verify(), so that nobody can measure it.
 * Caught by: budget.calls.
 * It may fail as well: life.create.
 * Without sanitizers also: budget.time. */
#define VERIFY broken_verify
#include "source.h"

#include <time.h>

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("sleeps");
