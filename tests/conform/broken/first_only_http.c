/* first_only_http.c - sends the first event, and says that it sent all.
 * Caught by: act.http. */
#define ACT broken_act
#define DELIVER deliver_with_id
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_delivery named = *event;

	named.data = patchbay_fmt(s->host, call, "{\"id\":\"%.*s\"}", (int)event->id.n, event->id.p);
	return deliver_by_http(s, call, &named);
}

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	sound_act(self, call, events, 1, results, checkpoint);
	for (size_t i = 1; i < n; i++)
		results[i] = results[0];
}

HTTP_SINK("first-only-http");
