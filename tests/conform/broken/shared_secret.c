/* shared_secret.c - has one secret for all instances: the latest.
 * Caught by: life.neighbours. */
#define CREATE broken_create
#define VERIFY broken_verify
#include "source.h"

static patchbay_strs latest;

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	latest = ((const struct sound_config *)options)->secret;
	return sound_create(host, call, options, self);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;

	if (latest.v != s->config->secret.v)
		return refuse(s, call, "X-Signature matches no secret");
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("shared-secret");
