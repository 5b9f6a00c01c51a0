/* ignores_deadline.c - waits when it must have been back already.
 * Caught by: nothing.
 * Without sanitizers also: act.deadline. */
#define ACT broken_act
#define DELIVER deliver_by_http
#include "sink.h"

#include <time.h>

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	struct sound *s = self;

	if (s->host->left_ms(call) < 10)
		nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 300000000 }, NULL);
	sound_act(self, call, events, n, results, checkpoint);
}

HTTP_SINK("ignores-deadline");
