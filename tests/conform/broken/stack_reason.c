/* stack_reason.c - its reasons are in a stack frame that is gone.
 * Caught by: act.decides.
 * It may fail as well: act.deadline, act.disk, act.http, act.odd, life.calls, life.neighbours, life.clock. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	char text[64];
	const char *volatile p = text;
	patchbay_result ret = deliver_by_http(s, call, event);

	snprintf(text, sizeof(text), "event %.*s", (int)event->id.n, event->id.p);
	ret.why = (patchbay_str){ p, strlen(text) };
	return ret;
}

HTTP_SINK("stack-reason");
