/* secret_in_reason.c - says which signature it would have taken, and the secret.
 * Caught by: process.secrets. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_status status = sound_verify(self, call, r, reply);
	patchbay_str secret = s->config->secret.v[0];

	if (status == PATCHBAY_EDENIED)
		s->host->explain(call, patchbay_fmt(s->host, call, "not signed with '%.*s'", (int)secret.n, secret.p));
	return status;
}

SOURCE_PLUGIN("secret-in-reason");
