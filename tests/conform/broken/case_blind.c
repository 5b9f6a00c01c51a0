/* case_blind.c - compares base64 without regard to case.
 * Caught by: signature.bytes. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

#include <strings.h>

static patchbay_str base64_of(const struct sound *s, patchbay_call *call, const patchbay_request *r)
{
	return s->crypto->base64(call, s->crypto->hmac_raw(call, s->keys.v[0], &r->body, 1));
}

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str text = base64_of(s, call, r);
	(void)try_;

	return patchbay_set_header(s->host, call, r, HEADER,
				   flags & PATCHBAY_SIGN_WRONG ? patchbay_wrong_hex(s->host, call, text) : text);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str text = patchbay_header(r, HEADER), want = base64_of(s, call, r);
	(void)reply;

	if (text.n != want.n || want.n == 0 || strncasecmp(text.p, want.p, want.n) != 0)
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("case-blind");
