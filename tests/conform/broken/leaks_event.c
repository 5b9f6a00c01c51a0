/* leaks_event.c - every event leaves a little memory behind.
 * Caught by: life.calls. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	char *volatile copy = malloc(event->data.n + 16);

	(void)copy;
	return deliver_by_http(s, call, event);
}

HTTP_SINK("leaks-event");
