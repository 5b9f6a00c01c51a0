/* body_prefix.c - signs the first 64 bytes of the body.
 * Caught by: signature.body. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static patchbay_str head(const patchbay_request *r)
{
	return (patchbay_str){ r->body.p, r->body.n < 64 ? r->body.n : 64 };
}

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str part = head(r), hex = s->crypto->hmac_hex(call, s->keys.v[0], &part, 1);
	(void)try_;

	return patchbay_set_header(s->host, call, r, HEADER,
				   flags & PATCHBAY_SIGN_WRONG ? patchbay_wrong_hex(s->host, call, hex) : hex);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER), part = head(r);
	(void)reply;

	if (!hex.p || !patchbay_keys_match(&s->keys, &part, 1, hex))
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("body-prefix");
