/* strlen_subject.c - takes a subject for a C string.
 * Caught by: act.odd. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	return strlen(event->subject.p) < 100000 ? deliver_by_http(s, call, event)
						 : result(PATCHBAY_EBADEVENT, "too long");
}

HTTP_SINK("strlen-subject");
