/* ok_on_500.c - an answer is an answer.
 * Caught by: act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_http_answer answer;

	return post(s, call, event, &answer) == PATCHBAY_OK ? result(PATCHBAY_OK, "")
							    : result(PATCHBAY_DOWN, "no answer");
}

HTTP_SINK("ok-on-500");
