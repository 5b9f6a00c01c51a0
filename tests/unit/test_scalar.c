/* test_scalar.c - numbers, durations, sizes and networks as they are written in routes.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/scalar.h"

#include <string.h>

static void reads_whole_numbers(void **state)
{
	int64_t n = 42;
	(void)state;
	assert_true(scalar_int(STR("0"), &n) && n == 0);
	assert_true(scalar_int(STR("-17"), &n) && n == -17);
	assert_true(scalar_int(STR("+17"), &n) && n == 17);
	assert_true(scalar_int(STR("9223372036854775807"), &n) && n == INT64_MAX);
	static const char *const bad[] = { "", "-", "1.0", "1e3", "0x10", " 1", "1 ", "9223372036854775808", "1_000" };
	n = 42;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(scalar_int(str_c(bad[i]), &n));
	assert_false(scalar_int(STR("1\0002"), &n));
	assert_int_equal(n, 42);
}

static void reads_real_numbers(void **state)
{
	double d;
	(void)state;
	assert_true(scalar_real(STR("2"), &d) && d == 2);
	assert_true(scalar_real(STR("-0.5"), &d) && d == -0.5);
	assert_true(scalar_real(STR("1e-3"), &d) && d == 0.001);
	static const char *const bad[] = { "", ".", "1,5", "nan", "inf", "0x1p3", "1e999", "1 2", "--1" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(scalar_real(str_c(bad[i]), &d));
}

static void reads_rates(void **state)
{
	int64_t n, ms;
	(void)state;
	assert_true(scalar_rate(STR("50/s"), &n, &ms) && n == 50 && ms == 1000);
	assert_true(scalar_rate(STR("20/min"), &n, &ms) && n == 20 && ms == 60000);
	assert_true(scalar_rate(STR("1000000/h"), &n, &ms) && n == 1000000 && ms == 3600000);
	assert_true(scalar_rate(STR("off"), &n, &ms) && n == 0 && ms == 0);
	static const char *const bad[] = { "",    "/s",        "s",   "1",    "1/",
					   "0/s", "1000001/s", "1/m", "1 /s", "99999999999999999999/s" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(scalar_rate(str_c(bad[i]), &n, &ms));
}

static void reads_durations_and_sizes(void **state)
{
	int64_t n;
	(void)state;
	assert_true(scalar_ms(STR("500ms"), &n) && n == 500);
	assert_true(scalar_ms(STR("2s"), &n) && n == 2000);
	assert_true(scalar_ms(STR("5m"), &n) && n == 300000);
	assert_true(scalar_ms(STR("1h"), &n) && n == 3600000);
	assert_true(scalar_ms(STR("7d"), &n) && n == INT64_C(604800000));
	assert_true(scalar_ms(STR("0"), &n) && n == 0);
	static const char *const no_durations[] = {
		"", "30", "s", "1 s", "1.5s", "-1s", "1S", "1h30m", "106751991168d"
	};
	for (size_t i = 0; i < sizeof(no_durations) / sizeof(*no_durations); i++)
		assert_false(scalar_ms(str_c(no_durations[i]), &n));
	assert_true(scalar_bytes(STR("512"), &n) && n == 512);
	assert_true(scalar_bytes(STR("64K"), &n) && n == 65536);
	assert_true(scalar_bytes(STR("2T"), &n) && n == INT64_C(2) << 40);
	static const char *const no_sizes[] = { "", "K", "4m", "4MB", "4 M", "-1", "8388608T" };
	for (size_t i = 0; i < sizeof(no_sizes) / sizeof(*no_sizes); i++)
		assert_false(scalar_bytes(str_c(no_sizes[i]), &n));
}

static void shows_the_largest_unit_that_fits(void **state)
{
	char text[SCALAR_SHOW_SIZE];
	(void)state;
	assert_string_equal(scalar_show_ms(0, text), "0");
	assert_string_equal(scalar_show_ms(1500, text), "1500ms");
	assert_string_equal(scalar_show_ms(90000, text), "90s");
	assert_string_equal(scalar_show_ms(INT64_C(30) * 86400000, text), "30d");
	assert_string_equal(scalar_show_bytes(1000, text), "1000");
	assert_string_equal(scalar_show_bytes(4 << 20, text), "4M");
}

static void reads_networks(void **state)
{
	static const uint8_t v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1 };
	patchbay_cidr net;
	bool stray;
	(void)state;
	assert_true(scalar_cidr(STR("10.1.2.3/16"), &net, &stray));
	assert_true(stray);
	assert_int_equal(net.bits, 112);
	assert_memory_equal(net.addr, v4, 16);
	assert_true(scalar_cidr(STR("10.1.0.0/16"), &net, &stray) && !stray);
	assert_true(scalar_cidr(STR("2001:db8::1"), &net, &stray));
	assert_int_equal(net.bits, 128);
	assert_int_equal(net.addr[15], 1);
	assert_true(scalar_cidr(STR("::/0"), &net, &stray) && net.bits == 0 && !stray);
	assert_true(scalar_cidr(STR("0.0.0.0/0"), &net, &stray) && net.bits == 96);
	static const char *const bad[] = { "",    "/8",        "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",   "::1/129",
					   "::g", "010.0.0.1", "1.2.3.4 ",  "1.2.3.4/-1",  "1.2.3.4/8x", "localhost" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(scalar_cidr(str_c(bad[i]), &net, &stray));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_whole_numbers),
		cmocka_unit_test(reads_real_numbers),
		cmocka_unit_test(reads_rates),
		cmocka_unit_test(reads_durations_and_sizes),
		cmocka_unit_test(shows_the_largest_unit_that_fits),
		cmocka_unit_test(reads_networks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
