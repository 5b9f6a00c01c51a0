#include "plugin/services.h"

#include "base/call.h"
#include "base/str.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const patchbay_crypto_service *crypto;
static struct patchbay_call call;

static int setup(void **state)
{
	(void)state;
	crypto = service_find(PATCHBAY_CRYPTO);
	call_init(&call, 1 << 16);
	call_begin(&call, 0);
	return crypto ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	call_fini(&call);
	return 0;
}

static void assert_hmac(uint32_t algorithm, patchbay_str key, patchbay_str body, const char *hex)
{
	patchbay_hmac *hmac = crypto->hmac_new(algorithm, key);

	assert_non_null(hmac);
	for (int i = 0; i < 3; i++) { /* the second use has a context of the first */
		assert_true(str_eq_nocase(crypto->hmac_hex(&call, hmac, &body, 1), str_c(hex)));
		assert_true(crypto->hmac_is(hmac, &body, 1, str_c(hex)));
		/* in three parts */
		size_t cut = body.n / 3;
		patchbay_str parts[] = { { body.p, cut }, { NULL, 0 }, { body.p + cut, body.n - cut } };
		assert_true(crypto->hmac_is(hmac, parts, 3, str_c(hex)));
	}
	crypto->hmac_free(hmac);
}

static void test_vectors_of_providers(void **state)
{
	patchbay_str key = STR("d9d36bea41c44ae49d1bfc4a48ba2abe");
	(void)state;

	assert_hmac(PATCHBAY_SHA1, key, STR("[\"fault_code_closed\"]"), "f04a8386a21a6cba0447024e83b3f0983352bb72");
	assert_hmac(PATCHBAY_SHA1, key, STR("[vehicle_location_updated]"), "b2f6972b75df821d2e152939a016ce1f67f04e0b");
	assert_hmac(PATCHBAY_SHA1, key, STR("[\"vehicle_location_updated\"]"),
		    "2b7ff37fedef4a86725f11b5b76dbfca68bf4d57");
	assert_hmac(PATCHBAY_SHA1, key, STR(""), "7f6869b12e52894302cc949ee742fd02ae3449b9");
	assert_hmac(PATCHBAY_SHA1, key, STR("{}"), "f353b38d924efff21162e425af08293d7ff0bc04");
	assert_hmac(PATCHBAY_SHA256, STR("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
		    STR("1700000000abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"),
		    "254EAF930AD2464F092DB6492AF119A7E3989E11385BFC1874421D8B48FAEBEC");
	assert_hmac(PATCHBAY_SHA1, STR(""), STR(""), "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
	/* RFC 2202, a key longer than a block */
	char key80[80];
	memset(key80, '\xaa', sizeof(key80));
	assert_hmac(PATCHBAY_SHA1, (patchbay_str){ key80, 80 },
		    STR("Test Using Larger Than Block-Size Key - Hash Key First"),
		    "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

static void test_anything_but_the_exact_hash_is_refused(void **state)
{
	patchbay_str body = STR("{}"), key = STR("d9d36bea41c44ae49d1bfc4a48ba2abe");
	patchbay_hmac *hmac = crypto->hmac_new(PATCHBAY_SHA1, key);
	char hex[] = "f353b38d924efff21162e425af08293d7ff0bc04";
	(void)state;

	for (size_t i = 0; i < 40; i++) {
		char saved = hex[i];
		hex[i] = saved == '0' ? '1' : '0';
		assert_false(crypto->hmac_is(hmac, &body, 1, str_c(hex)));
		hex[i] = 'g';
		assert_false(crypto->hmac_is(hmac, &body, 1, str_c(hex)));
		hex[i] = saved;
		assert_false(crypto->hmac_is(hmac, &body, 1, (patchbay_str){ hex, i }));
	}
	assert_true(crypto->hmac_is(hmac, &body, 1, str_c(hex)));
	assert_false(crypto->hmac_is(hmac, &body, 1, STR("f353b38d924efff21162e425af08293d7ff0bc0400")));
	assert_false(crypto->hmac_is(hmac, &body, 1, STR("f353b38d924efff21162e425af08293d7ff0bc04 ")));
	assert_false(crypto->hmac_is(hmac, NULL, 0, str_c(hex)));
	assert_false(crypto->hmac_is(NULL, &body, 1, str_c(hex)));
	crypto->hmac_free(hmac);
	crypto->hmac_free(NULL);
	assert_null(crypto->hmac_new(0, key));
	assert_null(crypto->hmac_new(3, key));
}

static void *verify_often(void *arg)
{
	patchbay_str body = STR("{}"), other = STR("{ }");
	size_t wrong = 0;

	for (int i = 0; i < 3000; i++) {
		wrong += !crypto->hmac_is(arg, &body, 1, STR("f353b38d924efff21162e425af08293d7ff0bc04"));
		wrong += crypto->hmac_is(arg, &other, 1, STR("f353b38d924efff21162e425af08293d7ff0bc04"));
	}
	return wrong ? arg : NULL;
}

/* More threads than there are spare contexts. */
static void test_threads_share_a_key(void **state)
{
	pthread_t threads[12];
	patchbay_hmac *hmac = crypto->hmac_new(PATCHBAY_SHA1, STR("d9d36bea41c44ae49d1bfc4a48ba2abe"));
	(void)state;

	for (int i = 0; i < 12; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_often, hmac), 0);
	for (int i = 0; i < 12; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	crypto->hmac_free(hmac);
}

static void test_hashes_and_compares(void **state)
{
	struct patchbay_call small;
	(void)state;

	assert_true(str_is(crypto->sha256_hex(&call, STR("abc")),
			   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	assert_true(str_is(crypto->sha256_hex(&call, (patchbay_str){ NULL, 0 }),
			   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	assert_true(crypto->equal(STR("secret"), STR("secret")));
	assert_false(crypto->equal(STR("secret"), STR("secreT")));
	assert_false(crypto->equal(STR("secret"), STR("secrets")));
	assert_true(crypto->equal(STR(""), (patchbay_str){ NULL, 0 }));
	call_init(&small, 16);
	assert_int_equal(crypto->sha256_hex(&small, STR("abc")).n, 0);
	assert_true(small.why.n > 0);
	call_fini(&small);
}

static void test_time(void **state)
{
	const patchbay_time_service *time = service_find(PATCHBAY_TIME);
	int64_t ns;
	(void)state;

	assert_true(time->parse(STR("2026-11-22T04:13:54.1234567Z"), &ns));
	assert_true(str_is(time->format(&call, ns), "2026-11-22T04:13:54.123456700Z"));
	assert_false(time->parse(STR("yesterday"), &ns));
}

static void test_services_are_known_by_id(void **state)
{
	(void)state;
	assert_non_null(service_find("patchbay.json/1"));
	assert_non_null(service_find("patchbay.expr/1"));
	assert_null(service_find("patchbay.json/2"));
	assert_null(service_find(""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vectors_of_providers),
		TEST(test_anything_but_the_exact_hash_is_refused),
		TEST(test_threads_share_a_key),
		TEST(test_hashes_and_compares),
		TEST(test_time),
		TEST(test_services_are_known_by_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
