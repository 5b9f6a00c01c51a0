/* keeps_event.c - compares an event with the one of the call before.
 * Caught by: act.odd. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	static _Thread_local patchbay_str last;
	bool again = last.n == event->data.n && memcmp(last.p, event->data.p, last.n) == 0;

	last = event->data;
	return again ? result(PATCHBAY_OK, "the same as before") : deliver_by_http(s, call, event);
}

HTTP_SINK("keeps-event");
