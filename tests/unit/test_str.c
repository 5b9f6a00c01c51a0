#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_comparing(void **state)
{
	(void)state;
	assert_int_equal(str_c(NULL).n, 0);
	assert_null(str_c(NULL).p);
	assert_true(str_eq(str_c(NULL), STR("")));
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_is(STR("a\0b"), "a"));
	assert_true(str_is(STR("abc"), "abc"));
	assert_true(str_eq_nocase(STR("X-KT-Webhook"), STR("x-kt-WEBHOOK")));
	assert_false(str_eq_nocase(STR("@"), STR("`"))); /* 32 apart, too, but no letters */
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_true(str_starts(STR("fault_code"), STR("fault_")));
	assert_true(str_starts(STR("x"), STR("")));
	assert_false(str_starts(STR("fault"), STR("fault_")));
}

static void test_globs(void **state)
{
	static const struct {
		const char *pattern, *s;
		bool match;
	} table[] = {
		{ "*", "", true },
		{ "", "", true },
		{ "", "a", false },
		{ "?", "", false },
		{ "fault_code_*", "fault_code_opened", true },
		{ "fault_code_*", "fault_code_", true },
		{ "fault_code_*", "fault_code", false },
		{ "*_opened", "fault_code_opened", true },
		{ "*_opened", "fault_code_opened_", false },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "abc", true },
		{ "a*b*c", "acb", false },
		{ "*ab*ab*", "aab_ab", true },
		{ "**", "x", true },
		{ "h?s", "hos", true },
		{ "h?s", "hoos", false },
		{ "[a]", "[a]", true },
		{ "[a]", "a", false },
		{ "\\*", "\\x", true },
		{ "A", "a", false },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (str_glob(str_c(table[i].pattern), str_c(table[i].s)) != table[i].match)
			fail_msg("'%s' and '%s'", table[i].pattern, table[i].s);
}

static void test_a_hostile_glob_is_not_slow(void **state)
{
	char s[5000];
	(void)state;

	memset(s, 'a', sizeof(s));
	/* Exponential back-tracking would not come back in this life. */
	assert_false(str_glob(STR("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), (patchbay_str){ s, sizeof(s) }));
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "audit", "safety", "registrar", "to", "webhook_url" };
	size_t n = sizeof(names) / sizeof(names[0]);
	(void)state;

	assert_string_equal(str_nearest(STR("audti"), names, n), "audit");
	assert_string_equal(str_nearest(STR("Safety"), names, n), "safety");
	assert_string_equal(str_nearest(STR("registar"), names, n), "registrar");
	assert_string_equal(str_nearest(STR("webhook-url"), names, n), "webhook_url");
	assert_string_equal(str_nearest(STR("ot"), names, n), "to");
	assert_null(str_nearest(STR("csv"), names, n));
	assert_null(str_nearest(STR("x"), names, n));
	assert_null(str_nearest(STR(""), names, n));
	assert_null(str_nearest(STR("audit"), names, 0));
	char long_name[100];
	memset(long_name, 'a', sizeof(long_name));
	assert_null(str_nearest((patchbay_str){ long_name, sizeof(long_name) }, names, n));
}

static void test_buffers_grow(void **state)
{
	struct buf b = { 0 };
	(void)state;

	assert_int_equal(buf_str(&b).n, 0);
	assert_string_equal(buf_cstr(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%d,", i);
	buf_add_str(&b, STR("end"));
	assert_int_equal(b.n, 10 * 2 + 90 * 3 + 900 * 4 + 3);
	assert_string_equal(buf_cstr(&b) + b.n - 7, "999,end");
	memset(buf_grow(&b, 100000), 'x', 100000);
	assert_int_equal(b.n, 3893);
	buf_free(&b);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	buf_add(&b, NULL, 0);
	buf_addf(&b, "%s", "");
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

static void assert_json_string(patchbay_str s, const char *want)
{
	struct buf b = { 0 };

	buf_add_json_string(&b, s);
	assert_string_equal(buf_cstr(&b), want);
	buf_free(&b);
}

static void test_json_strings(void **state)
{
	(void)state;
	assert_json_string(STR(""), "\"\"");
	assert_json_string(STR("plain"), "\"plain\"");
	assert_json_string(STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
	assert_json_string(STR("\b\f\n\r\t\v"), "\"\\b\\f\\n\\r\\t\\u000b\"");
	assert_json_string(STR("x\0y\x1f"), "\"x\\u0000y\\u001f\"");
	assert_json_string(STR("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\"");
	assert_json_string(STR("a\xff\xc3"), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_json_string(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_sizes_for_people(void **state)
{
	char out[STR_BYTES_SIZE];
	(void)state;
	assert_string_equal(str_show_bytes(0, out), "0 B");
	assert_string_equal(str_show_bytes(1023, out), "1023 B");
	assert_string_equal(str_show_bytes(1536, out), "1.5 KiB");
	assert_string_equal(str_show_bytes(UINT64_C(837) << 20, out), "837.0 MiB");
	assert_string_equal(str_show_bytes(UINT64_C(5) << 50, out), "5120.0 TiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comparing),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_a_hostile_glob_is_not_slow),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_buffers_grow),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_sizes_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
