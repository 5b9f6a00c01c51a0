/* buries.c - gives events up when nobody answers.
 * Caught by: act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_result ret = deliver_by_http(s, call, event);

	if (ret.status == PATCHBAY_DOWN)
		ret.status = PATCHBAY_EBADEVENT;
	return ret;
}

HTTP_SINK("buries");
