/* wild_reason.c - its reasons lead nowhere.
 * Caught by: act.odd. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_result ret = deliver_by_http(s, call, event);

	if (event->data.n == 0)
		ret.why = (patchbay_str){ (const char *)64, 20 };
	return ret;
}

HTTP_SINK("wild-reason");
