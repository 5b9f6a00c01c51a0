/* stamp.h - a source that signs the time, too: X-Signature is "t=1767268800,v1=HEX". What a plugin does in another way
 * it defines before it includes this: STAMPED, NOW_S. */
#ifndef BROKEN_STAMP_H
#define BROKEN_STAMP_H

#define VERIFY stamp_verify
#define SIGN stamp_sign
#include "source.h"

#ifndef STAMPED
#define STAMPED stamp_hmac
#endif
#ifndef NOW_S
#define NOW_S stamp_now_s
#endif

static patchbay_str STAMPED(const struct sound *, patchbay_call *, patchbay_str time, patchbay_str body);
static long long NOW_S(const patchbay_request *);

/* Of the time, a dot, and the body. */
UNUSED static patchbay_str stamp_hmac(const struct sound *s, patchbay_call *call, patchbay_str time, patchbay_str body)
{
	const patchbay_str parts[] = { time, PATCHBAY_S("."), body };

	return s->crypto->hmac_hex(call, s->keys.v[0], parts, 3);
}

UNUSED static long long stamp_now_s(const patchbay_request *r)
{
	return r->received_ns / 1000000000;
}

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str time = patchbay_fmt(s->host, call, "%lld", (long long)(r->received_ns / 1000000000));
	patchbay_str hex = STAMPED(s, call, time, r->body);
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
	patchbay_str value = patchbay_header(r, HEADER), time, hex;
	const char *comma = value.n ? memchr(value.p, ',', value.n) : NULL;
	long long seconds = 0;
	(void)reply;

	if (!comma || value.n < 6 || memcmp(value.p, "t=", 2) != 0 || (size_t)(value.p + value.n - comma) != 68 ||
	    memcmp(comma, ",v1=", 4) != 0)
		return refuse(s, call, "X-Signature is missing, or not t=TIME,v1=HEX");
	time = (patchbay_str){ value.p + 2, (size_t)(comma - value.p - 2) };
	hex = (patchbay_str){ comma + 4, 64 };
	for (size_t i = 0; i < time.n; i++) {
		if (time.p[i] < '0' || time.p[i] > '9' || i > 11)
			return refuse(s, call, "the time of X-Signature is no number");
		seconds = seconds * 10 + time.p[i] - '0';
	}
	if (llabs(NOW_S(r) - seconds) > 300)
		return refuse(s, call, "X-Signature is too old");
	patchbay_str want = STAMPED(s, call, time, r->body);
	if (want.n == 0 || !s->crypto->equal(want, hex))
		return refuse(s, call, "X-Signature is wrong");
	return PATCHBAY_OK;
}

#endif
