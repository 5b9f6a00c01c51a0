/* ok_on_down.c - does not look at what send() returns.
 * Caught by: act.deadline, act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_http_answer answer;

	(void)post(s, call, event, &answer);
	return answer.status < 400 && answer.status != 301 ? result(PATCHBAY_OK, "") : result(PATCHBAY_DOWN, "refused");
}

HTTP_SINK("ok-on-down");
