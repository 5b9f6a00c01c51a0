/* sound_token.c - nothing wrong with it: proves itself by a token, which covers no body.
 * Caught by: nothing. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str token = s->config->secret.v[0];
	(void)try_;

	return patchbay_set_header(s->host, call, r, HEADER,
				   flags & PATCHBAY_SIGN_WRONG ? patchbay_wrong_hex(s->host, call, token) : token);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str token = patchbay_header(r, HEADER);
	(void)reply;

	for (size_t i = 0; token.p && i < s->config->secret.n; i++)
		if (s->crypto->equal(token, s->config->secret.v[i]))
			return PATCHBAY_OK;
	return refuse(s, call, "X-Signature is not the token");
}

SOURCE_PLUGIN("sound-token");
