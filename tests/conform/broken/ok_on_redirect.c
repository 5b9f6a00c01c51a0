/* ok_on_redirect.c - takes a redirect for a success.
 * Caught by: act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_http_answer answer;

	if (post(s, call, event, &answer) != PATCHBAY_OK || answer.status >= 400)
		return result(PATCHBAY_DOWN, "refused");
	return result(PATCHBAY_OK, "");
}

HTTP_SINK("ok-on-redirect");
