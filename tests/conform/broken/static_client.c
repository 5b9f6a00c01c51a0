/* static_client.c - has one HTTP client for all instances.
 * Caught by: life.neighbours, act.http. */
#define CREATE broken_create
#define DESTROY broken_destroy
#define DELIVER deliver_by_http
#include "sink.h"

static patchbay_http *shared;

static void DESTROY(void *self)
{
	sound_destroy(self);
	shared = NULL;
}

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	patchbay_status status = sound_create(host, call, options, self);
	struct sound *s = *self;

	if (status != PATCHBAY_OK)
		return status;
	if (!shared)
		shared = s->client;
	else
		s->http->close(s->client);
	s->client = shared;
	return PATCHBAY_OK;
}

HTTP_SINK("static-client");
