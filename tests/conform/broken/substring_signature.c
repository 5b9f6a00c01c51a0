/* substring_signature.c - looks for the right signature anywhere in the header.
 * Caught by: signature.length. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str value = patchbay_header(r, HEADER), want = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
	(void)reply;

	if (want.n == 0 || !value.p || !memmem(value.p, value.n, want.p, want.n))
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("substring-signature");
