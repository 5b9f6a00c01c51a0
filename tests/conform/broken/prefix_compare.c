/* prefix_compare.c - compares the first half of the signature.
 * Caught by: signature.bytes, signature.length. */
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

	if (hex.n < 32 || want.n < 32 || memcmp(hex.p, want.p, 32) != 0)
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("prefix-compare");
