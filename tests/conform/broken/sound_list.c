/* sound_list.c - nothing wrong with it: a time, and signatures of which any one may match, in one header.
 * Caught by: nothing. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str time = patchbay_fmt(s->host, call, "%lld", (long long)(r->received_ns / 1000000000));
	patchbay_str parts[] = { time, PATCHBAY_S("."), r->body };
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], parts, 3);
	(void)try_;

	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	return patchbay_set_header(
		s->host, call, r, HEADER,
		patchbay_fmt(s->host, call, "t=%.*s,v1=%.*s", (int)time.n, time.p, (int)hex.n, hex.p));
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str list = patchbay_header(r, HEADER), time = PATCHBAY_S(""), hex;
	size_t at = 0, match = 0;
	int64_t seconds = 0;
	(void)reply;

	if (!patchbay_part(list, ',', "t=", &at, &time) || time.n == 0 || time.n > 11)
		return refuse(s, call, "X-Signature is missing, comes several times, or has no t=");
	for (size_t i = 0; i < time.n; i++)
		seconds = seconds * 10 + (time.p[i] - '0');
	patchbay_str parts[] = { time, PATCHBAY_S("."), r->body };
	for (at = 0; match == 0 && patchbay_part(list, ',', "v1=", &at, &hex);)
		match = patchbay_keys_match(&s->keys, parts, 3, hex);
	if (match && llabs(r->received_ns / 1000000000 - seconds) > 300)
		return refuse(s, call, "X-Signature is too old");
	return patchbay_keys_judge(&s->keys, call, match, "X-Signature", "the provider's");
}

SOURCE_PLUGIN("sound-list");
