/* upper_case_header.c - asks for a header by its name as the provider writes it.
 * Caught by: source.genuine. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

#define NAME PATCHBAY_S("X-Acme-Signature")

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
	(void)try_;

	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	return patchbay_set_header(s->host, call, r, NAME, hex);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, NAME);
	(void)reply;

	if (!hex.p || !patchbay_keys_match(&s->keys, &r->body, 1, hex))
		return refuse(s, call, "X-Acme-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("upper-case-header");
