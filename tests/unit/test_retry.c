/* The retry policy: delays within their bounds, reproducible, and an end to it. */
#include "deliver/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct config_retry exponential = {
	.initial_ms = 1000,
	.factor = 2,
	.max_ms = 60000,
	.give_up_ms = 72 * 3600 * INT64_C(1000),
};

static void grows_and_is_capped(void **state)
{
	(void)state;
	static const int64_t whole[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct retry_random random = { 42 };
	for (uint32_t attempt = 1; attempt <= 8; attempt++)
		for (int i = 0; i < 1000; i++)
			assert_in_range(retry_delay_ms(&exponential, attempt, &random), 1, whole[attempt - 1]);
	assert_in_range(retry_delay_ms(&exponential, UINT32_MAX, &random), 1, 60000);
	assert_in_range(retry_delay_ms(&exponential, 0, &random), 1, 1000);
}

static void probes_never_come_early(void **state)
{
	(void)state;
	static const int64_t whole[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct retry_random random = { 42 };
	for (uint32_t failure = 1; failure <= 8; failure++)
		for (int i = 0; i < 1000; i++)
			assert_in_range(retry_probe_ms(&exponential, failure, &random), whole[failure - 1] / 2,
					whole[failure - 1]);
}

static void jitter_uses_its_range(void **state)
{
	(void)state;
	struct retry_random random = { 7 };
	int64_t least = INT64_MAX, most = 0, sum = 0;
	for (int i = 0; i < 10000; i++) {
		int64_t delay = retry_delay_ms(&exponential, 1, &random);
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
		sum += delay;
	}
	assert_true(least < 10 && most > 990);
	assert_in_range(sum / 10000, 480, 520);
}

static void same_seed_same_delays(void **state)
{
	(void)state;
	struct retry_random a = { 99 }, b = { 99 }, c = { 100 };
	bool differs = false;
	for (uint32_t attempt = 1; attempt < 20; attempt++) {
		int64_t delay = retry_delay_ms(&exponential, attempt, &a);
		assert_int_equal(delay, retry_delay_ms(&exponential, attempt, &b));
		differs |= delay != retry_delay_ms(&exponential, attempt, &c);
	}
	assert_true(differs);
}

static void list_is_taken_as_it_is(void **state)
{
	(void)state;
	int64_t delays[] = { 60000, 3600000, 21600000 };
	struct config_retry list = { .delays_ms = delays, .n_delays = 3 };
	struct retry_random random = { 1 };
	assert_int_equal(retry_delay_ms(&list, 1, &random), 60000);
	assert_int_equal(retry_delay_ms(&list, 2, &random), 3600000);
	assert_int_equal(retry_delay_ms(&list, 3, &random), 21600000);
	assert_int_equal(retry_delay_ms(&list, 9, &random), 21600000);
	assert_int_equal(retry_probe_ms(&list, 1, &random), 60000);
	assert_int_equal(retry_give_up_ms(&list), 25260000);
	assert_false(retry_gives_up(&list, 3, INT64_MAX));
	assert_true(retry_gives_up(&list, 4, 0));
}

static void gives_up_by_age(void **state)
{
	(void)state;
	assert_false(retry_gives_up(&exponential, 1000, exponential.give_up_ms - 1));
	assert_true(retry_gives_up(&exponential, 2, exponential.give_up_ms));
	struct config_retry for_ever = { .initial_ms = 1000, .factor = 2, .max_ms = 60000 };
	assert_false(retry_gives_up(&for_ever, UINT32_MAX, INT64_MAX));
}

static void odd_policies_do_no_harm(void **state)
{
	(void)state;
	struct retry_random random = { 0 };
	struct config_retry zero = { .initial_ms = 0 };
	assert_int_equal(retry_delay_ms(&zero, 1, &random), 1);
	assert_int_equal(retry_delay_ms(&zero, 50, &random), 1);
	struct config_retry shrinking = { .initial_ms = 100, .factor = 0.1, .max_ms = 1000 };
	assert_in_range(retry_probe_ms(&shrinking, 30, &random), 50, 100);
	struct config_retry unbounded = { .initial_ms = INT64_MAX, .factor = 1e300 };
	assert_true(retry_delay_ms(&unbounded, 400, &random) > 0);
	assert_int_equal(retry_give_up_ms(&exponential), exponential.give_up_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_is_capped),     cmocka_unit_test(jitter_uses_its_range),
		cmocka_unit_test(same_seed_same_delays),   cmocka_unit_test(list_is_taken_as_it_is),
		cmocka_unit_test(gives_up_by_age),         cmocka_unit_test(odd_policies_do_no_harm),
		cmocka_unit_test(probes_never_come_early),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
