/* body_ignored.c - signs a constant instead of the body.
 * Caught by: signature.body. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static const patchbay_str constant = { "constant", 8 };

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], &constant, 1);
	(void)try_;

	return patchbay_set_header(s->host, call, r, HEADER,
				   flags & PATCHBAY_SIGN_WRONG ? patchbay_wrong_hex(s->host, call, hex) : hex);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER);
	(void)reply;

	if (!hex.p || !patchbay_keys_match(&s->keys, &constant, 1, hex))
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("body-ignored");
