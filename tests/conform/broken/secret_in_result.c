/* secret_in_result.c - says to which URL it posted, with the secret in it.
 * Caught by: process.secrets. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_result ret = deliver_by_http(s, call, event);

	ret.why = s->config->url;
	return ret;
}

HTTP_SINK("secret-in-result");
