#include "base/base64.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_every_length_comes_back(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rfc4648[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rfc4648 / sizeof *rfc4648; i++) {
		char text[16] = "", bytes[16] = "";
		size_t n;
		base64_encode(str_c(rfc4648[i].bytes), text);
		assert_string_equal(text, rfc4648[i].text);
		assert_int_equal(strlen(text), BASE64_SIZE(strlen(rfc4648[i].bytes)));
		assert_true(base64_decode(str_c(text), bytes, &n));
		assert_int_equal(n, strlen(rfc4648[i].bytes));
		assert_string_equal(bytes, rfc4648[i].bytes);
	}
}

static void test_other_forms_are_none(void **state)
{
	static const char *const wrong[] = { "Z",        "Zg",       "Zg=",    "=",        "====",    "Z===",
					     "Zg==Zg==", "Zm=v",     "Zm9v\n", "Zm9v    ", " Zm9v  ", "Zm-v",
					     "Zm_v",     "Zm9v====", "Zh==",   "Zm9=" };
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char bytes[16];
		size_t n;
		if (base64_decode(str_c(wrong[i]), bytes, &n))
			fail_msg("'%s' was taken", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_other_forms_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
