/* prints_results.c - prints what it does.
 * Caught by: process.output. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	puts("posting");
	return deliver_by_http(s, call, event);
}

HTTP_SINK("prints-results");
