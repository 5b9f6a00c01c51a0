/* static_text.c - makes what it sends in a static buffer.
 * Caught by: act.threads. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	static char text[200];
	patchbay_delivery copy = *event;

	snprintf(text, sizeof(text), "{\"event\":\"%.*s\"}", (int)event->id.n, event->id.p);
	copy.data = patchbay_cstr(text);
	return deliver_by_http(s, call, &copy);
}

HTTP_SINK("static-text");
