#include "base/clock.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define AT(seconds) ((int64_t)(seconds)*NS_PER_S)

static void test_parses_what_providers_write(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} table[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-22T04:13:54Z", AT(1795320834) },
		{ "2026-11-22T04:13:54.123Z", AT(1795320834) + 123000000 },
		{ "2026-11-22T04:13:54.1234567Z", AT(1795320834) + 123456700 }, /* .NET */
		{ "2026-11-22T04:13:54.123456789Z", AT(1795320834) + 123456789 },
		{ "2026-11-22T04:13:54.1234567899999Z", AT(1795320834) + 123456789 },
		{ "2026-11-22T04:13:54,5Z", AT(1795320834) + 500000000 },
		{ "2026-11-22 04:13:54", AT(1795320834) },
		{ "2026-11-22t04:13:54z", AT(1795320834) },
		{ "2026-11-22T04:13Z", AT(1795320834 - 54) },
		{ "2026-11-22T05:13:54+01:00", AT(1795320834) },
		{ "2026-11-22T05:13:54+0100", AT(1795320834) },
		{ "2026-11-22T05:13:54 +0100", AT(1795320834) },
		{ "2026-11-22T05:13:54+01", AT(1795320834) },
		{ "2026-11-21T23:13:54-05:00", AT(1795320834) },
		{ "2026-11-22T09:43:54.000+05:30", AT(1795320834) },
		{ "2026-11-22", AT(1795305600) },
		{ "2024-02-29T00:00:00Z", AT(1709164800) },
		{ "2000-02-29T00:00:00Z", AT(951782400) },
		{ "2016-12-31T23:59:60Z", AT(1483228800) }, /* a leap second is the next one */
		{ "1969-12-31T23:59:59.5Z", -500000000 },
		{ "1677-09-21T00:12:44Z", AT(-9223372036) },
		{ "2262-04-11T23:47:16.854775807Z", INT64_MAX },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t ns = 1;
		if (!clock_parse_iso(str_c(table[i].text), &ns))
			fail_msg("refused: %s", table[i].text);
		if (ns != table[i].ns)
			fail_msg("%s: %lld, want %lld", table[i].text, (long long)ns, (long long)table[i].ns);
	}
}

static void test_refuses_the_rest(void **state)
{
	static const char *const table[] = {
		"",
		"null",
		"1700000000",
		"2026",
		"2026-11",
		"2026-1-2",
		"2026-00-10",
		"2026-13-10",
		"2026-11-00",
		"2026-11-31",
		"2026-02-29",
		"1900-02-29",
		"2026-11-22T",
		"2026-11-22T04",
		"2026-11-22T04:",
		"2026-11-22T24:00:00Z",
		"2026-11-22T04:60:00Z",
		"2026-11-22T04:13:61Z",
		"2026-11-22T04:13:54.Z",
		"2026-11-22T04:13:54ZZ",
		"2026-11-22T04:13:54 ",
		"2026-11-22T04:13:54+",
		"2026-11-22T04:13:54+1",
		"2026-11-22T04:13:54+01:",
		"2026-11-22T04:13:54+01:0",
		"2026-11-22T04:13:54+24:00",
		"2026-11-22T04:13:54+01:60",
		"2026-11-22T04:13:54 CET",
		"2026/11/22T04:13:54Z",
		"-026-11-22T04:13:54Z",
		" 2026-11-22T04:13:54Z",
		"22 Nov 2026 04:13:54",
		"0001-01-01T00:00:00Z", /* .NET's "no time": outside of what 64 bits of nanoseconds hold */
		"9999-12-31T23:59:59Z",
		"2262-04-11T23:47:16.854775808Z",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t ns = 7;
		if (clock_parse_iso(str_c(table[i]), &ns))
			fail_msg("accepted: %s", table[i]);
		assert_int_equal(ns, 7);
	}
	assert_false(clock_parse_iso(STR("2026-11-22T04:13:54Z\0"), &(int64_t){ 0 }));
}

static void assert_format(int64_t ns, const char *want)
{
	char text[CLOCK_ISO_SIZE];

	assert_int_equal(clock_format_iso(ns, text), str_c(want).n);
	assert_string_equal(text, want);
}

static void test_formats_as_many_digits_as_are_needed(void **state)
{
	(void)state;
	assert_format(0, "1970-01-01T00:00:00Z");
	assert_format(AT(1795320834), "2026-11-22T04:13:54Z");
	assert_format(AT(1795320834) + 123000000, "2026-11-22T04:13:54.123Z");
	assert_format(AT(1795320834) + 100, "2026-11-22T04:13:54.000000100Z");
	assert_format(AT(1795320834) + 1000, "2026-11-22T04:13:54.000001Z");
	assert_format(-1, "1969-12-31T23:59:59.999999999Z");
	assert_format(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
	assert_format(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
}

/* Every 11 hours and a bit through the whole range, against libc's calendar, and back. */
static void test_agrees_with_libc_and_with_itself(void **state)
{
	(void)state;
	for (int64_t seconds = -9223372036; seconds < 9223372036; seconds += 40009 * 13) {
		char ours[CLOCK_ISO_SIZE], libc[CLOCK_ISO_SIZE];
		time_t t = (time_t)seconds;
		struct tm tm;
		int64_t back;
		clock_format_iso(AT(seconds), ours);
		strftime(libc, sizeof(libc), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		assert_string_equal(ours, libc);
		assert_true(clock_parse_iso(str_c(ours), &back));
		assert_true(back == AT(seconds));
	}
}

static void test_spans_in_the_largest_units(void **state)
{
	static const struct {
		int64_t ms;
		const char *two, *exact;
	} cases[] = {
		{ 0, "0 s", "0 s" },
		{ 1, "1 ms", "1 ms" },
		{ 1500, "1 s 500 ms", "1 s 500 ms" },
		{ 60000, "1 min", "1 min" },
		{ 12000000, "3 h 20 min", "3 h 20 min" },
		{ 86700000, "1 d", "1 d 5 min" }, /* the hours, which are none, count */
		{ 271505001, "3 d 3 h", "3 d 3 h 25 min 5 s 1 ms" },
		{ INT64_MAX, "106751991167 d 7 h", "106751991167 d 7 h 12 min 55 s 807 ms" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CLOCK_SPAN_SIZE];
		assert_string_equal(clock_format_span(cases[i].ms, 2, text), cases[i].two);
		assert_string_equal(clock_format_span(cases[i].ms, CLOCK_SPAN_EXACT, text), cases[i].exact);
	}
}

static void test_clocks_run(void **state)
{
	(void)state;
	assert_true(clock_wall_ns() > AT(1700000000));
	int64_t before = clock_steady_ns();
	assert_true(clock_steady_ns() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses_what_providers_write),
		cmocka_unit_test(test_refuses_the_rest),
		cmocka_unit_test(test_formats_as_many_digits_as_are_needed),
		cmocka_unit_test(test_agrees_with_libc_and_with_itself),
		cmocka_unit_test(test_spans_in_the_largest_units),
		cmocka_unit_test(test_clocks_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
