/* retry_in_seconds.c - says in seconds when to come back.
 * Caught by: act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_http_answer answer;
	patchbay_result sent = { post(s, call, event, &answer), 0, { "", 0 } };

	if (sent.status == PATCHBAY_OK && answer.status / 100 != 2) {
		sent.status = PATCHBAY_DOWN;
		sent.why = PATCHBAY_S("the server takes nothing now");
		if (answer.retry_after_ms > 0)
			sent.after_ms = (uint32_t)(answer.retry_after_ms / 1000);
	}
	return sent;
}

HTTP_SINK("retry-in-seconds");
