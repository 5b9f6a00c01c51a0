/* tries_for_long.c - tries again by itself, for longer than it may.
 * Caught by: act.deadline, act.http, life.calls. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_result now = deliver_by_http(s, call, event);

	for (int i = 0; i < 4 && now.status == PATCHBAY_DOWN; i++) {
		usleep(400000);
		now = deliver_by_http(s, call, event);
	}
	return now;
}

HTTP_SINK("tries-for-long");
