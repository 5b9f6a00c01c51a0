/* leaks_failed.c - forgets what it had when create() fails.
 * Caught by: life.cycles. */
#define CREATE broken_create
#define DELIVER deliver_by_http
#include "sink.h"

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct sound *s = calloc(1, sizeof(*s));

	if (s && !host->service(host, PATCHBAY_HTTP)) {
		host->explain(call, PATCHBAY_S("this host has no " PATCHBAY_HTTP));
		return PATCHBAY_ECONFIG;
	}
	free(s);
	return sound_create(host, call, options, self);
}

HTTP_SINK("leaks-failed");
