/* caches_verdict.c - remembers which body was genuine, and takes it again whoever signs it.
 * Caught by: source.forged, source.wrong_signature, source.other_secret, signature.bytes, hostile.memory. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	static _Thread_local char last[65];
	const struct sound *s = self;
	patchbay_str sum = s->crypto->sha256_hex(call, r->body);

	if (sum.n == 64 && memcmp(last, sum.p, 64) == 0)
		return PATCHBAY_OK;
	if (sound_verify(self, call, r, reply) != PATCHBAY_OK || sum.n != 64)
		return PATCHBAY_EDENIED;
	memcpy(last, sum.p, 64);
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("caches-verdict");
