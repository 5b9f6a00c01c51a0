/* From when on it is unusual that nothing comes, by what came before. Time is what the test says. */
#include "alarm/rhythm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MIN INT64_C(60000)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)

static int64_t now; /* wall clock */

static int setup(void **state)
{
	(void)state;
	now = 20000 * DAY; /* a midnight */
	return 0;
}

static void pass(struct rhythm *r, int64_t ms)
{
	now += ms;
	rhythm_pass(r, ms);
}

/* Every `ms`, for so long. */
static void beat(struct rhythm *r, int64_t ms, int64_t for_ms)
{
	for (int64_t t = 0; t < for_ms; t += ms) {
		pass(r, ms);
		rhythm_hear(r, now);
	}
}

static void nothing_is_known_in_the_first_week(void **state)
{
	struct rhythm r = { 0 };
	(void)state;
	pass(&r, 30 * DAY);
	assert_int_equal(rhythm_limit_ms(&r), 0);
	rhythm_hear(&r, now);
	beat(&r, HOUR, 8 * DAY - HOUR);
	assert_int_equal(rhythm_limit_ms(&r), 0);
	beat(&r, HOUR, HOUR);
	assert_int_equal(rhythm_limit_ms(&r), 2 * HOUR);
}

static void a_quarter_of_an_hour_is_the_least(void **state)
{
	struct rhythm r = { 0 };
	(void)state;
	beat(&r, MIN, 8 * DAY + MIN);
	assert_int_equal(rhythm_limit_ms(&r), 15 * MIN);
}

static void nights_and_weekends_are_usual(void **state)
{
	struct rhythm r = { 0 };
	(void)state;
	for (int day = 0; day < 14; day++) {
		if (day % 7 < 5)
			beat(&r, 10 * MIN, 10 * HOUR);
		pass(&r, day % 7 < 5 ? 14 * HOUR : DAY);
		assert_true(rhythm_limit_ms(&r) == 0 || r.quiet_ms < rhythm_limit_ms(&r));
	}
	rhythm_hear(&r, now);
	assert_int_equal(rhythm_longest_ms(&r), 62 * HOUR + 10 * MIN);
	beat(&r, 10 * MIN, 15 * DAY); /* it works day and night now */
	assert_int_equal(rhythm_limit_ms(&r), 20 * MIN);
}

/* The days count back from the last sign of life, not from today: else the alarm would be over some day by itself. */
static void silence_does_not_make_itself_usual(void **state)
{
	struct rhythm r = { 0 };
	(void)state;
	beat(&r, HOUR, 8 * DAY + HOUR);
	pass(&r, 40 * DAY);
	assert_int_equal(rhythm_limit_ms(&r), 2 * HOUR);
	assert_true(r.quiet_ms > rhythm_limit_ms(&r));
	rhythm_hear(&r, now);
	assert_int_equal(r.quiet_ms, 0);
	assert_int_equal(rhythm_limit_ms(&r), 4 * HOUR); /* deaf for an outage of 40 days it is not */
	pass(&r, 5 * HOUR);
	rhythm_hear(&r, now);
	assert_int_equal(rhythm_limit_ms(&r), 8 * HOUR); /* but it learns */
	beat(&r, HOUR, 15 * DAY);
	assert_int_equal(rhythm_limit_ms(&r), 2 * HOUR); /* and forgets */
}

static void what_comes_once_in_a_while_is_no_alarm(void **state)
{
	struct rhythm r = { 0 };
	(void)state;
	for (int i = 0; i < 4; i++) {
		rhythm_hear(&r, now);
		pass(&r, 30 * DAY);
		assert_true(rhythm_limit_ms(&r) == 0 || r.quiet_ms < rhythm_limit_ms(&r));
	}
}

/* Patchbay was stopped for weeks, or the clock was wrong: the first minutes after that are no rhythm. */
static void what_was_not_watched_for_long_is_learnt_anew(void **state)
{
	struct rhythm r = { 0 };
	(void)state;
	beat(&r, HOUR, 10 * DAY);
	now += 13 * DAY;
	pass(&r, MIN);
	rhythm_hear(&r, now);
	assert_int_equal(rhythm_limit_ms(&r), 2 * HOUR);
	now += 20 * DAY;
	pass(&r, MIN);
	rhythm_hear(&r, now);
	assert_int_equal(rhythm_limit_ms(&r), 0);
	beat(&r, HOUR, 8 * DAY);
	assert_int_equal(rhythm_limit_ms(&r), 2 * HOUR);
}

static void it_is_the_same_after_a_restart(void **state)
{
	struct rhythm r = { 0 }, read = { 0 };
	struct buf text = { 0 }, again = { 0 };
	(void)state;
	beat(&r, 50 * MIN, 10 * DAY);
	pass(&r, 5 * MIN);
	rhythm_write(&r, &text);
	assert_true(rhythm_read(&read, buf_str(&text)));
	assert_int_equal(read.quiet_ms, 5 * MIN);
	assert_int_equal(rhythm_limit_ms(&read), 100 * MIN);
	rhythm_write(&read, &again);
	assert_string_equal(buf_cstr(&text), buf_cstr(&again));
	assert_true(text.n < 400); /* it does not grow */
	assert_false(rhythm_read(&read, STR("")));
	assert_false(rhythm_read(&read, STR("1 2")));
	assert_false(rhythm_read(&read, STR("-1 2 3")));
	assert_int_equal(read.quiet_ms, 5 * MIN);
	assert_true(rhythm_read(&read, STR("1 2 3 -5:7")));
	buf_free(&text);
	buf_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_known_in_the_first_week, setup),
		cmocka_unit_test_setup(a_quarter_of_an_hour_is_the_least, setup),
		cmocka_unit_test_setup(nights_and_weekends_are_usual, setup),
		cmocka_unit_test_setup(silence_does_not_make_itself_usual, setup),
		cmocka_unit_test_setup(what_comes_once_in_a_while_is_no_alarm, setup),
		cmocka_unit_test_setup(what_was_not_watched_for_long_is_learnt_anew, setup),
		cmocka_unit_test_setup(it_is_the_same_after_a_restart, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
