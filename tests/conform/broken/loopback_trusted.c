/* loopback_trusted.c - takes whatever comes from this machine.
 * Caught by: source.backdoor. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (patchbay_eq(r->client, PATCHBAY_S("127.0.0.1")) || patchbay_eq(r->client, PATCHBAY_S("::1")))
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("loopback-trusted");
