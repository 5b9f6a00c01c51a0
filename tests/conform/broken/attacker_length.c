/* attacker_length.c - compares as many bytes as the sender sent.
 * Caught by: source.forged, signature.length. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_str right(const struct sound *s, patchbay_call *call, const patchbay_request *r)
{
	return s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER), want = right(s, call, r);
	(void)reply;

	if (!hex.p || hex.n > want.n || memcmp(hex.p, want.p, hex.n) != 0)
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("attacker-length");
