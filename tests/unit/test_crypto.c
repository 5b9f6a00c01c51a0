/* Hashes as bytes, base64, and signatures with a pair of keys. (Keyed hashes in hex: test_services.c.) */
#include "plugin/services.h"

#include "base/call.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const patchbay_crypto_service *crypto;
static const patchbay_ed25519_service *ed25519;
static struct patchbay_call call;

static int setup(void **state)
{
	(void)state;
	crypto = service_find(PATCHBAY_CRYPTO);
	ed25519 = service_find(PATCHBAY_ED25519);
	call_init(&call, 1 << 20);
	call_begin(&call, 0);
	return crypto && ed25519 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	call_fini(&call);
	return 0;
}

/* Bytes written in hex, in memory of the call. */
static patchbay_str unhex(const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *bytes = arena_alloc(&call.arena, n + 1);

	for (size_t i = 0; i < n; i++) {
		char two[] = { hex[2 * i], hex[2 * i + 1], '\0' };
		bytes[i] = (char)strtoul(two, NULL, 16);
	}
	return (patchbay_str){ bytes, n };
}

static void assert_bytes(patchbay_str got, const char *hex)
{
	patchbay_str wanted = unhex(hex);

	assert_int_equal(got.n, wanted.n);
	if (wanted.n)
		assert_memory_equal(got.p, wanted.p, wanted.n);
}

static void test_hmac_as_bytes(void **state)
{
	patchbay_str there = STR("Hi There"), parts[] = { STR("Hi"), STR(""), STR(" There") };
	char key[20];
	struct patchbay_call small;
	(void)state;

	memset(key, 0x0b, sizeof(key)); /* RFC 2202 and RFC 4231, case 1 */
	patchbay_hmac *sha1 = crypto->hmac_new(PATCHBAY_SHA1, (patchbay_str){ key, sizeof(key) });
	patchbay_hmac *sha256 = crypto->hmac_new(PATCHBAY_SHA256, (patchbay_str){ key, sizeof(key) });
	assert_bytes(crypto->hmac_raw(&call, sha1, &there, 1), "b617318655057264e28bc0b6fb378c8ef146be00");
	assert_bytes(crypto->hmac_raw(&call, sha256, parts, 3),
		     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_int_equal(crypto->hmac_raw(&call, NULL, &there, 1).n, 0);
	call_init(&small, 16);
	assert_int_equal(crypto->hmac_raw(&small, sha256, &there, 1).n, 0);
	assert_true(small.why.n > 0);
	call_fini(&small);
	crypto->hmac_free(sha1);
	crypto->hmac_free(sha256);
}

static void test_base64_of_every_length(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rfc4648[] = { { "", "" },
			{ "f", "Zg==" },
			{ "fo", "Zm8=" },
			{ "foo", "Zm9v" },
			{ "foob", "Zm9vYg==" },
			{ "fooba", "Zm9vYmE=" },
			{ "foobar", "Zm9vYmFy" } };
	char bytes[100];
	patchbay_str back;
	(void)state;

	for (size_t i = 0; i < sizeof(rfc4648) / sizeof(rfc4648[0]); i++) {
		assert_true(str_is(crypto->base64(&call, str_c(rfc4648[i].bytes)), rfc4648[i].text));
		assert_true(crypto->unbase64(&call, str_c(rfc4648[i].text), &back));
		assert_true(str_is(back, rfc4648[i].bytes));
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 37 + 0xfb); /* brings + and /, too */
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		patchbay_str text = crypto->base64(&call, (patchbay_str){ bytes, n });
		assert_int_equal(text.n, (n + 2) / 3 * 4);
		assert_true(crypto->unbase64(&call, text, &back));
		assert_int_equal(back.n, n);
		assert_true(n == 0 || memcmp(back.p, bytes, n) == 0);
	}
	assert_int_equal(crypto->base64(&call, (patchbay_str){ NULL, 0 }).n, 0);
	assert_true(crypto->unbase64(&call, (patchbay_str){ NULL, 0 }, &back));
	assert_int_equal(back.n, 0);
}

static void test_base64_is_taken_in_one_form_only(void **state)
{
	static const char *const wrong[] = {
		"Z",        "Zg",     "Zg=",      "Zg===", "=",        "==",       "====",       "A===",
		"Zg==Zg==", "Z=g=",   "=Zg=",     " Zg==", "Zg== ",    "Zg==\n",   "Zg\n==",     "Zm9v\nYg==",
		"Zm9vYg=",  "Zm9vYg", "Zm9v====", "Zm9v=", "Zm-_",     "Zm9*",     "Zm9v!mFy",   "Zh==", /* 000001 */
		"Zo==",     "Zv==",   "Zm9=",     "Zm+=",  "Zm9vYh==", "Zm9vYmF=", "\xc3\xa9==",
	};
	patchbay_str back = STR("as it was");
	struct patchbay_call small;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (crypto->unbase64(&call, str_c(wrong[i]), &back))
			fail_msg("'%s' was taken", wrong[i]);
	assert_false(crypto->unbase64(&call, (patchbay_str){ "Zg\0=", 4 }, &back));
	assert_true(str_is(back, "as it was"));
	call_init(&small, 16);
	assert_false(crypto->unbase64(&small, STR("Zm9vYmFyZm9vYmFyZm9vYmFy"), &back));
	assert_int_equal(crypto->base64(&small, STR("foobarfoobarfoobar")).n, 0);
	assert_true(small.why.n > 0);
	call_fini(&small);
}

/* Of each value of one byte, exactly one text in all of the last two digits is right. */
static void test_base64_has_no_second_way_to_write_a_value(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned seen[256] = { 0 };
	size_t two = 0;
	patchbay_str back;
	(void)state;

	for (size_t a = 0; a < 64; a++) {
		for (size_t b = 0; b < 64; b++) {
			const char one[] = { digits[a], digits[b], '=', '=' },
				   more[] = { 'A', digits[a], digits[b], '=' };
			if (crypto->unbase64(&call, (patchbay_str){ one, 4 }, &back)) {
				assert_int_equal(back.n, 1);
				seen[(unsigned char)back.p[0]]++;
			}
			two += crypto->unbase64(&call, (patchbay_str){ more, 4 }, &back);
		}
	}
	for (size_t i = 0; i < 256; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(two, 64 * 16);
}

static const struct {
	const char *seed, *public_key, *message, *signature;
} rfc8032[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
	  "be24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
	  "2aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
	  "d28dc027beceea1ec40a" },
};

static void test_ed25519_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rfc8032) / sizeof(rfc8032[0]); i++) {
		patchbay_str seed = unhex(rfc8032[i].seed), message = unhex(rfc8032[i].message);
		patchbay_str public_key = ed25519->public_key(&call, seed);
		assert_bytes(public_key, rfc8032[i].public_key);
		patchbay_str signature = ed25519->sign(&call, seed, &message, 1);
		assert_bytes(signature, rfc8032[i].signature);
		assert_true(ed25519->is(&call, public_key, &message, 1, signature));
		/* in three parts */
		patchbay_str parts[] = { { message.p, message.n / 2 },
					 { NULL, 0 },
					 { message.p + message.n / 2, message.n - message.n / 2 } };
		assert_true(ed25519->is(&call, public_key, parts, 3, signature));
		assert_bytes(ed25519->sign(&call, seed, parts, 3), rfc8032[i].signature);
	}
	assert_true(ed25519->is(&call, unhex(rfc8032[0].public_key), NULL, 0, unhex(rfc8032[0].signature)));
}

/* Each bit of the bytes turned, one after the other: then it must not be the signature any more. */
static void assert_every_bit_counts(patchbay_str bytes, patchbay_str key, patchbay_str message, patchbay_str signature)
{
	for (size_t i = 0; i < 8 * bytes.n; i++) {
		char *byte = (char *)(uintptr_t)bytes.p + i / 8;
		*byte = (char)(*byte ^ 1 << i % 8);
		if (ed25519->is(&call, key, &message, 1, signature))
			fail_msg("with bit %zu turned it is taken", i);
		*byte = (char)(*byte ^ 1 << i % 8);
	}
	assert_true(ed25519->is(&call, key, &message, 1, signature));
}

static void test_ed25519_refuses_what_is_nearly_right(void **state)
{
	patchbay_str key = unhex(rfc8032[2].public_key), message = unhex(rfc8032[2].message);
	patchbay_str signature = unhex(rfc8032[2].signature), other = STR("another message");
	(void)state;

	assert_every_bit_counts(key, key, message, signature);
	assert_every_bit_counts(message, key, message, signature);
	assert_every_bit_counts(signature, key, message, signature);
	assert_false(ed25519->is(&call, key, &other, 1, signature));
	assert_false(ed25519->is(&call, key, NULL, 0, signature));
	for (size_t n = 0; n < 32; n++) {
		assert_false(ed25519->is(&call, (patchbay_str){ key.p, n }, &message, 1, signature));
		assert_int_equal(ed25519->sign(&call, (patchbay_str){ key.p, n }, &message, 1).n, 0);
		assert_int_equal(ed25519->public_key(&call, (patchbay_str){ key.p, n }).n, 0);
	}
	for (size_t n = 0; n < 64; n++)
		assert_false(ed25519->is(&call, key, &message, 1, (patchbay_str){ signature.p, n }));
	char longer[65] = { 0 };
	memcpy(longer, signature.p, 64);
	assert_false(ed25519->is(&call, key, &message, 1, (patchbay_str){ longer, 65 }));
	memcpy(longer, key.p, 32);
	assert_false(ed25519->is(&call, (patchbay_str){ longer, 33 }, &message, 1, signature));
	assert_int_equal(ed25519->sign(&call, (patchbay_str){ longer, 33 }, &message, 1).n, 0);
	assert_int_equal(ed25519->public_key(&call, (patchbay_str){ longer, 33 }).n, 0);
}

static void test_ed25519_without_memory(void **state)
{
	patchbay_str message = STR("a message of more than a few bytes"), seed = unhex(rfc8032[1].seed);
	struct patchbay_call small;
	(void)state;

	call_init(&small, 16);
	assert_int_equal(ed25519->sign(&small, seed, &message, 1).n, 0);
	assert_int_equal(ed25519->public_key(&small, seed).n, 0);
	assert_false(ed25519->is(&small, unhex(rfc8032[1].public_key), &message, 1, unhex(rfc8032[1].signature)));
	call_fini(&small);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hmac_as_bytes),
		TEST(test_base64_of_every_length),
		TEST(test_base64_is_taken_in_one_form_only),
		TEST(test_base64_has_no_second_way_to_write_a_value),
		TEST(test_ed25519_vectors),
		TEST(test_ed25519_refuses_what_is_nearly_right),
		TEST(test_ed25519_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
