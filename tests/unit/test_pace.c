/* The rate of calls: even spacing, nothing saved up, nothing at once after a start. */
#include "base/clock.h"
#include "deliver/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define S NS_PER_S
#define MS NS_PER_MS

static void no_rate_is_no_limit(void **state)
{
	(void)state;
	struct pace pace;
	pace_init(&pace, 0, 0, 1, 5 * S);
	for (int i = 0; i < 10; i++) {
		assert_true(pace_allows(&pace, 5 * S));
		pace_began(&pace, 5 * S);
		pace_ended(&pace, 5 * S);
	}
}

static void slow_rates_count_from_the_end_of_a_call(void **state)
{
	(void)state;
	struct pace pace;
	pace_init(&pace, 1, 1000, 1, 100 * S);     /* 1/s */
	assert_false(pace_allows(&pace, 100 * S)); /* a restart must not double what was sent just before it */
	assert_false(pace_allows(&pace, 101 * S - 1));
	assert_true(pace_allows(&pace, 101 * S));
	pace_began(&pace, 101 * S);
	pace_ended(&pace, 101 * S + 300 * MS);
	assert_false(pace_allows(&pace, 102 * S + 299 * MS));
	assert_true(pace_allows(&pace, 102 * S + 300 * MS));
	pace_began(&pace, 500 * S); /* idle for long: no burst afterwards */
	pace_ended(&pace, 500 * S);
	assert_false(pace_allows(&pace, 500 * S + 999 * MS));
}

static void fast_rates_keep_their_rate(void **state)
{
	(void)state;
	struct pace pace;
	unsigned calls = 0;
	pace_init(&pace, 1000, 1000, 1, 0);
	for (int64_t now = 0; now < 10 * S; now += 300000) /* woken every 0.3 ms, so mostly late */
		if (pace_allows(&pace, now)) {
			pace_began(&pace, now);
			pace_ended(&pace, now + 100000);
			calls++;
		}
	assert_in_range(calls, 9900, 10000);
}

static void many_at_once_share_the_rate(void **state)
{
	(void)state;
	struct pace pace;
	unsigned calls = 0;
	pace_init(&pace, 120, 60000, 8, 0); /* 2/s, eight at once, each of which takes long */
	for (int64_t now = 0; now <= 10 * S; now += 10 * MS)
		if (pace_allows(&pace, now)) {
			pace_began(&pace, now);
			calls++;
		}
	assert_int_equal(calls, 20);
}

/* Wakes up late by turns, as schedulers do; calls take their time. */
static void no_window_has_more_calls_than_agreed(void **state)
{
	struct pace pace;
	int64_t now = 100 * S, seen[200];
	(void)state;
	pace_init(&pace, 20, 1000, 1, now);
	for (int i = 0; i < 200; i++) {
		now = (pace.next_ns > now ? pace.next_ns : now) + (i % 21 == 0 ? 19 * MS : 0);
		assert_true(pace_allows(&pace, now));
		pace_began(&pace, now);
		seen[i] = now += 3 * MS * (i % 3); /* somewhere within its call */
		pace_ended(&pace, now += 1 * MS);
		assert_true(i < 20 || seen[i] - seen[i - 20] >= S);
	}
	assert_true(now - 100 * S < 11 * S); /* and it costs little of the rate */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(slow_rates_count_from_the_end_of_a_call),
		cmocka_unit_test(fast_rates_keep_their_rate),
		cmocka_unit_test(many_at_once_share_the_rate),
		cmocka_unit_test(no_window_has_more_calls_than_agreed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
