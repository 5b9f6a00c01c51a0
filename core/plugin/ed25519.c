/* ed25519.c - signatures with a pair of keys, for plugins. */
#include "plugin/services.h"

#include "base/arena.h"
#include "base/call.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#define KEY_BYTES 32u
#define SIGNATURE_BYTES 64u

/* libcrypto takes the message in one piece. */
static bool join(patchbay_call *call, const patchbay_str *parts, size_t n, patchbay_str *ret)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		if (__builtin_add_overflow(total, parts[i].n, &total))
			return false;
	char *p = total < SIZE_MAX ? arena_alloc(&call->arena, total + 1) : NULL;
	if (!p)
		return false;
	for (size_t i = 0; i < n; at += parts[i++].n)
		if (parts[i].n)
			memcpy(p + at, parts[i].p, parts[i].n);
	*ret = (patchbay_str){ p, total };
	return true;
}

static bool is(patchbay_call *call, patchbay_str public_key, const patchbay_str *parts, size_t n,
	       patchbay_str signature)
{
	patchbay_str message;
	bool good = false;

	if (public_key.n != KEY_BYTES || signature.n != SIGNATURE_BYTES || !join(call, parts, n, &message))
		return false;
	EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)public_key.p, KEY_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1)
		good = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, SIGNATURE_BYTES,
					(const unsigned char *)message.p, message.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good;
}

static EVP_PKEY *private_key(patchbay_str seed)
{
	if (seed.n != KEY_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.p, KEY_BYTES);
}

static patchbay_str to_call(patchbay_call *call, bool there, const unsigned char *bytes, size_t n)
{
	patchbay_str none = { "", 0 };
	patchbay_str copy = there ? arena_copy(&call->arena, (patchbay_str){ (const char *)bytes, n }) : none;

	return copy.p ? copy : none;
}

static patchbay_str sign(patchbay_call *call, patchbay_str seed, const patchbay_str *parts, size_t n)
{
	unsigned char signature[SIGNATURE_BYTES];
	size_t size = sizeof(signature);
	patchbay_str message;
	EVP_PKEY *key = join(call, parts, n, &message) ? private_key(seed) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool signed_ = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		       EVP_DigestSign(ctx, signature, &size, (const unsigned char *)message.p, message.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return to_call(call, signed_, signature, size);
}

static patchbay_str public_key(patchbay_call *call, patchbay_str seed)
{
	unsigned char bytes[KEY_BYTES];
	size_t size = sizeof(bytes);
	EVP_PKEY *key = private_key(seed);
	bool there = key && EVP_PKEY_get_raw_public_key(key, bytes, &size) == 1;

	EVP_PKEY_free(key);
	return to_call(call, there, bytes, size);
}

const patchbay_ed25519_service ed25519_service = {
	.size = sizeof(patchbay_ed25519_service),
	.is = is,
	.sign = sign,
	.public_key = public_key,
};
