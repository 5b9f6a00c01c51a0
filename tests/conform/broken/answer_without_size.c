/* answer_without_size.c - asks for an answer of which it says no size.
 * Caught by: act.http. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_kv headers[] = { { PATCHBAY_S("Content-Type"), PATCHBAY_S("application/json") } };
	patchbay_http_request request = { .size = sizeof(request),
					  .n_headers = 1,
					  .headers = headers,
					  .method = PATCHBAY_S("POST"),
					  .url = s->config->url,
					  .body = event->data };
	patchbay_http_answer answer = { 0 };

	if (s->http->send(s->client, call, &request, &answer) != PATCHBAY_OK)
		return result(PATCHBAY_DOWN, "nobody answers");
	return answer.status >= 200 && answer.status < 300 ? result(PATCHBAY_OK, "")
							   : result(PATCHBAY_DOWN, "the server takes nothing now");
}

HTTP_SINK("answer-without-size");
