/* writes_event.c - changes the event, which is not its own.
 * Caught by: act.odd. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	char *data = (char *)(uintptr_t)event->data.p;

	for (size_t i = 0; i < event->data.n; i++)
		if (data[i] == '\n')
			data[i] = ' ';
		else
			data[i] = data[i];
	return deliver_by_http(s, call, event);
}

HTTP_SINK("writes-event");
