/* crypto.c - keyed hashes for plugins. Making an HMAC context costs more than hashing a kilobyte, so each key
 * has a few that are made once and taken in turn by whatever thread needs one. */
#include "plugin/services.h"

#include "base/base64.h"
#include "base/call.h"
#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_MAX 32
#define SPARES 8 /* more threads than this at once on one key make themselves a context each time */

struct spares {
	_Atomic(EVP_MAC_CTX *) v[SPARES]; /* who swapped a pointer out owns it */
};

struct patchbay_hmac {
	EVP_MAC_CTX *keyed; /* never used but to be copied */
	struct spares *spares;
	size_t size; /* of the digest */
};

static patchbay_hmac *hmac_new(uint32_t algorithm, patchbay_str key)
{
	char sha1[] = "SHA1", sha256[] = "SHA256"; /* OSSL_PARAM wants them writable */
	char *digest = algorithm == PATCHBAY_SHA1 ? sha1 : algorithm == PATCHBAY_SHA256 ? sha256 : NULL;
	patchbay_hmac *hmac = NULL;
	EVP_MAC *mac = digest ? EVP_MAC_fetch(NULL, "HMAC", NULL) : NULL;
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	if (!ctx)
		goto out;
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
				OSSL_PARAM_construct_end() };
	/* An empty key must still be a key: NULL would mean "as before". */
	if (!EVP_MAC_init(ctx, (const unsigned char *)(key.n ? key.p : ""), key.n, params))
		goto out;
	hmac = xcalloc(1, sizeof(*hmac));
	hmac->keyed = ctx;
	hmac->spares = xcalloc(1, sizeof(*hmac->spares));
	hmac->size = EVP_MAC_CTX_get_mac_size(ctx);
	ctx = NULL;
out:
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return hmac;
}

static void hmac_free(patchbay_hmac *hmac)
{
	if (!hmac)
		return;
	for (size_t i = 0; i < SPARES; i++)
		EVP_MAC_CTX_free(hmac->spares->v[i]); /* which wipes the key */
	free(hmac->spares);
	EVP_MAC_CTX_free(hmac->keyed);
	free(hmac);
}

static EVP_MAC_CTX *take_ctx(const patchbay_hmac *hmac)
{
	for (size_t i = 0; i < SPARES; i++) {
		_Atomic(EVP_MAC_CTX *) *spare = &hmac->spares->v[i];
		EVP_MAC_CTX *ctx = atomic_load_explicit(spare, memory_order_relaxed);
		if (!ctx || !(ctx = atomic_exchange(spare, NULL)))
			continue;
		if (EVP_MAC_init(ctx, NULL, 0, NULL)) /* the same key again */
			return ctx;
		EVP_MAC_CTX_free(ctx);
		break;
	}
	return EVP_MAC_CTX_dup(hmac->keyed);
}

static void give_back(const patchbay_hmac *hmac, EVP_MAC_CTX *ctx)
{
	for (size_t i = 0; i < SPARES; i++) {
		EVP_MAC_CTX *none = NULL;
		if (atomic_compare_exchange_strong(&hmac->spares->v[i], &none, ctx))
			return;
	}
	EVP_MAC_CTX_free(ctx);
}

static bool compute(const patchbay_hmac *hmac, const patchbay_str *parts, size_t n, unsigned char out[DIGEST_MAX])
{
	EVP_MAC_CTX *ctx = take_ctx(hmac);
	size_t length;
	bool ok = ctx != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = parts[i].n == 0 || EVP_MAC_update(ctx, (const unsigned char *)parts[i].p, parts[i].n);
	ok = ok && EVP_MAC_final(ctx, out, &length, DIGEST_MAX) && length == hmac->size;
	if (ok)
		give_back(hmac, ctx);
	else
		EVP_MAC_CTX_free(ctx);
	return ok;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hmac_is(const patchbay_hmac *hmac, const patchbay_str *parts, size_t n, patchbay_str hex)
{
	unsigned char theirs[DIGEST_MAX], ours[DIGEST_MAX];

	if (!hmac || hex.n != 2 * hmac->size)
		return false;
	for (size_t i = 0; i < hmac->size; i++) { /* no secret in here: it comes from outside */
		int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		theirs[i] = (unsigned char)(high << 4 | low);
	}
	bool same = compute(hmac, parts, n, ours) && CRYPTO_memcmp(theirs, ours, hmac->size) == 0;
	OPENSSL_cleanse(ours, sizeof(ours));
	return same;
}

static patchbay_str to_hex(patchbay_call *call, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(&call->arena, 2 * n);

	if (!text) {
		call_explain(call, "a hash needs more memory than one call may have");
		return (patchbay_str){ "", 0 };
	}
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return (patchbay_str){ text, 2 * n };
}

static patchbay_str to_call(patchbay_call *call, const unsigned char *bytes, size_t n)
{
	patchbay_str copy = arena_copy(&call->arena, (patchbay_str){ (const char *)bytes, n });

	if (copy.p)
		return copy;
	call_explain(call, "a hash needs more memory than one call may have");
	return (patchbay_str){ "", 0 };
}

static bool compute_or_explain(patchbay_call *call, const patchbay_hmac *hmac, const patchbay_str *parts, size_t n,
			       unsigned char out[DIGEST_MAX])
{
	if (hmac && compute(hmac, parts, n, out))
		return true;
	call_explain(call, "the HMAC could not be computed: libcrypto is out of memory");
	return false;
}

static patchbay_str hmac_hex(patchbay_call *call, const patchbay_hmac *hmac, const patchbay_str *parts, size_t n)
{
	unsigned char bytes[DIGEST_MAX];

	if (!compute_or_explain(call, hmac, parts, n, bytes))
		return (patchbay_str){ "", 0 };
	return to_hex(call, bytes, hmac->size);
}

static patchbay_str hmac_raw(patchbay_call *call, const patchbay_hmac *hmac, const patchbay_str *parts, size_t n)
{
	unsigned char bytes[DIGEST_MAX];

	if (!compute_or_explain(call, hmac, parts, n, bytes))
		return (patchbay_str){ "", 0 };
	return to_call(call, bytes, hmac->size);
}

static patchbay_str sha256_hex(patchbay_call *call, patchbay_str s)
{
	unsigned char bytes[DIGEST_MAX];

	if (!EVP_Digest(s.p ? s.p : "", s.n, bytes, NULL, EVP_sha256(), NULL)) {
		call_explain(call, "the SHA-256 could not be computed: libcrypto is out of memory");
		return (patchbay_str){ "", 0 };
	}
	return to_hex(call, bytes, DIGEST_MAX);
}

static bool equal(patchbay_str a, patchbay_str b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

static patchbay_str base64(patchbay_call *call, patchbay_str bytes)
{
	char *text = bytes.n ? arena_alloc(&call->arena, BASE64_SIZE(bytes.n)) : NULL;

	if (!text) {
		if (bytes.n)
			call_explain(call, "base64 needs more memory than one call may have");
		return (patchbay_str){ "", 0 };
	}
	base64_encode(bytes, text);
	return (patchbay_str){ text, BASE64_SIZE(bytes.n) };
}

static bool unbase64(patchbay_call *call, patchbay_str text, patchbay_str *ret)
{
	size_t n;
	char *bytes = arena_alloc(&call->arena, text.n / 4 * 3 + 1);

	if (!bytes || !base64_decode(text, bytes, &n))
		return false;
	*ret = (patchbay_str){ bytes, n };
	return true;
}

const patchbay_crypto_service crypto_service = {
	.size = sizeof(patchbay_crypto_service),
	.hmac_new = hmac_new,
	.hmac_free = hmac_free,
	.hmac_is = hmac_is,
	.hmac_hex = hmac_hex,
	.hmac_raw = hmac_raw,
	.sha256_hex = sha256_hex,
	.equal = equal,
	.base64 = base64,
	.unbase64 = unbase64,
};
