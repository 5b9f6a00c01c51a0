/* odd_result.c - has a status of its own for an event without data.
 * Caught by: act.odd. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	return event->data.n ? deliver_by_http(s, call, event) : result(PATCHBAY_EMALFORMED, "no data");
}

HTTP_SINK("odd-result");
