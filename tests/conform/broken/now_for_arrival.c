/* now_for_arrival.c - compares the time of a signature with now, not with when it came.
 * Caught by: source.clock. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str time = patchbay_fmt(s->host, call, "%lld", (long long)(r->received_ns / 1000000000));
	patchbay_str parts[] = { time, PATCHBAY_S("."), r->body };
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], parts, 3);
	patchbay_status status = patchbay_set_header(s->host, call, r, PATCHBAY_S("x-time"), time);
	(void)try_;

	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	return status == PATCHBAY_OK ? patchbay_set_header(s->host, call, r, HEADER, hex) : status;
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER), time = patchbay_header(r, PATCHBAY_S("x-time"));
	patchbay_str parts[] = { time, PATCHBAY_S("."), r->body };
	int64_t seconds = 0;
	(void)reply;

	if (!hex.p || time.n == 0 || time.n > 11 || !patchbay_keys_match(&s->keys, parts, 3, hex))
		return refuse(s, call, "X-Signature or X-Time is missing or wrong");
	for (size_t i = 0; i < time.n; i++)
		seconds = seconds * 10 + (time.p[i] - '0');
	if (llabs(s->host->now_ns(s->host) / 1000000000 - seconds) > 300)
		return refuse(s, call, "X-Time is too long ago");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("now-for-arrival");
