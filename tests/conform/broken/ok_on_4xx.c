/* ok_on_4xx.c - takes it for done when the server does not like it.
 * Caught by: act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_http_answer answer;
	patchbay_status sent = post(s, call, event, &answer);

	if (sent != PATCHBAY_OK)
		return (patchbay_result){ sent, 0, answer.why };
	if (answer.status >= 500 || answer.status == 429 || (answer.status >= 300 && answer.status < 405))
		return result(PATCHBAY_DOWN, "the server takes nothing now");
	return result(PATCHBAY_OK, "");
}

HTTP_SINK("ok-on-4xx");
