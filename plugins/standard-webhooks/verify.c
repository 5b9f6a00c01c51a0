/* verify.c - is a request genuine? It is if one of its signatures is that of id, time and body under one of our keys,
 * and its time is near: the time is that of the try, so a provider that tries again later is not late. */
#include "standard-webhooks.h"

#include <inttypes.h>
#include <stdlib.h>

#define SIGNATURES_MAX 16 /* of v1, */
#define V1A_MAX 4         /* and of v1a: each costs a tenth of a millisecond, which anybody can ask for */
#define TIMESTAMP_DIGITS_MAX 12

static patchbay_status deny(const struct webhooks *w, patchbay_call *call, patchbay_str why)
{
	w->host->explain(call, why);
	return PATCHBAY_EDENIED;
}

/* The value of a header that must be there once, and not empty. False: explained. */
static bool take_header(const struct webhooks *w, patchbay_call *call, const patchbay_request *r, patchbay_str name,
			patchbay_str *ret)
{
	uint32_t found = patchbay_headers(r, name, ret);

	if (found == 1 && ret->n > 0)
		return true;
	deny(w, call,
	     found > 1
		     ? patchbay_fmt(w->host, call, "%.*s came %u times, it must come once", (int)name.n, name.p, found)
		     : patchbay_fmt(w->host, call,
				    "no %.*s header, or an empty one: this is no standard webhook, or something in "
				    "between took the header out",
				    (int)name.n, name.p));
	return false;
}

static bool read_seconds(patchbay_str text, int64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || i == TIMESTAMP_DIGITS_MAX)
			return false;
		*ret = *ret * 10 + (text.p[i] - '0');
	}
	return true;
}

/* The signatures of one version among "v1,<base64> v1a,<base64> v2,<anything>", as bytes. What is no signature fits no
 * key, and is passed over. */
static size_t read_signatures(const struct webhooks *w, patchbay_call *call, patchbay_str list, patchbay_str version,
			      patchbay_str ret[SIGNATURES_MAX], size_t max)
{
	size_t n = 0;

	while (list.n > 0 && n < max) {
		const char *space = memchr(list.p, ' ', list.n);
		patchbay_str one = { list.p, space ? (size_t)(space - list.p) : list.n };
		size_t step = space ? one.n + 1 : one.n;
		list = (patchbay_str){ list.p + step, list.n - step };
		if (one.n <= version.n || memcmp(one.p, version.p, version.n) != 0)
			continue;
		one = (patchbay_str){ one.p + version.n, one.n - version.n };
		n += w->crypto->unbase64(call, one, &ret[n]);
	}
	return n;
}

/* The number (from 1) of the public key that one of the signatures was made with; 0: none. */
static size_t match_public_key(const struct webhooks *w, patchbay_call *call, const patchbay_str *parts,
			       const patchbay_str *signatures, size_t n)
{
	for (size_t i = 0; i < w->options->public_key.n; i++)
		for (size_t k = 0; k < n; k++)
			if (w->ed25519->is(call, (patchbay_str){ w->public_keys[i], KEY_BYTES }, parts, SIGNED_PARTS,
					   signatures[k]))
				return i + 1;
	return 0;
}

/* What matched, in words; "", explained: nothing. */
static patchbay_str match(const struct webhooks *w, patchbay_call *call, const patchbay_str *parts,
			  patchbay_str signatures)
{
	size_t n_public = w->options->public_key.n, n_v1, n_v1a, number;
	patchbay_str v1[SIGNATURES_MAX], v1a[SIGNATURES_MAX];

	n_v1 = w->keys.n ? read_signatures(w, call, signatures, PATCHBAY_S("v1,"), v1, SIGNATURES_MAX) : 0;
	n_v1a = n_public ? read_signatures(w, call, signatures, PATCHBAY_S("v1a,"), v1a, V1A_MAX) : 0;
	if ((number = patchbay_keys_match_raw(&w->keys, call, parts, SIGNED_PARTS, v1, n_v1))) {
		patchbay_str secret = patchbay_keys_name(&w->keys, call, number);
		return patchbay_fmt(w->host, call, "HMAC-SHA256, %.*s", (int)secret.n, secret.p);
	}
	if ((number = match_public_key(w, call, parts, v1a, n_v1a)))
		return patchbay_fmt(w->host, call, "ed25519, public key %zu of %zu", number, n_public);
	if (n_v1 + n_v1a == 0)
		deny(w, call,
		     PATCHBAY_S("webhook-signature has no signature that could be checked here: v1 takes a "
				"'secret', v1a a 'public_key'"));
	else if (n_v1 > 0)
		patchbay_keys_refuse(&w->keys, call, "webhook-signature",
				     "the webhook's at the provider; a proxy that changes the body breaks it, too");
	else
		deny(w, call,
		     patchbay_fmt(w->host, call,
				  "webhook-signature matches none of the configured public keys (%zu): compare "
				  "'public_key' with the provider's; a proxy that changes the body breaks it, too",
				  n_public));
	return PATCHBAY_S("");
}

patchbay_status webhooks_verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct webhooks *w = self;
	patchbay_str id, timestamp, signatures;
	int64_t sent_s, off_s;

	(void)reply; /* as it comes: 200 */
	if (!take_header(w, call, r, ID, &id) || !take_header(w, call, r, TIMESTAMP, &timestamp) ||
	    !take_header(w, call, r, SIGNATURE, &signatures))
		return PATCHBAY_EDENIED;
	if (memchr(id.p, '.', id.n))
		return deny(w, call,
			    PATCHBAY_S("webhook-id has a '.', which the specification rules out, since what is signed "
				       "could then be read in two ways; ask the provider for ids without"));
	if (!read_seconds(timestamp, &sent_s))
		return deny(w, call, PATCHBAY_S("webhook-timestamp is not a number of seconds since 1970"));
	const patchbay_str parts[SIGNED_PARTS] = SIGNED(id, timestamp, r->body);
	patchbay_str matched = match(w, call, parts, signatures);
	if (matched.n == 0)
		return PATCHBAY_EDENIED;
	off_s = r->received_ns / INT64_C(1000000000) - sent_s;
	if (llabs(off_s) > w->options->tolerance / 1000)
		return deny(w, call,
			    patchbay_fmt(w->host, call,
					 "webhook-timestamp is %lld s %s the time of arrival, 'tolerance' is %" PRId64
					 " s: sent again by somebody, or a clock is wrong",
					 llabs(off_s), off_s < 0 ? "after" : "before", w->options->tolerance / 1000));
	w->host->explain(call, matched);
	return PATCHBAY_OK;
}
