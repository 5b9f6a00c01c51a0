/* shorter_counts.c - compares the signature up to the shorter of both lengths.
 * Caught by: source.forged, signature.length. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER), want = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
	size_t n = hex.n < want.n ? hex.n : want.n;
	(void)reply;

	if (!hex.p || want.n == 0 || memcmp(hex.p, want.p, n) != 0)
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("shorter-counts");
