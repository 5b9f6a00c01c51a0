/* From one look to the next: what is raised, what is over, what somebody is to be told of, and what the next process
 * knows of it. */
#include "alarm/event.h"
#include "alarm/standing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GRACE 60000
#define T0 INT64_C(1000000000)

static struct standings all;
static struct alarm_list found;

static int teardown(void **state)
{
	(void)state;
	standings_free(&all);
	alarm_list_free(&found);
	return 0;
}

static struct alarm *find(enum alarm_id id, const char *about, int64_t since_ms)
{
	struct alarm *alarm = alarm_add(&found, id, "sink", about, "%s does not work", about);
	alarm->since_ms = since_ms;
	return alarm;
}

static void look(int64_t at_ms)
{
	standings_update(&all, &found, at_ms, GRACE, true);
	found.n = 0;
}

static enum standing_news news(int64_t told_ms, int64_t at_ms)
{
	assert_int_equal(all.n, 1);
	return standing_news(&all.v[0], told_ms, at_ms, GRACE);
}

static void what_does_not_last_is_never_raised(void **state)
{
	(void)state;
	find(ALARM_SINK_STOPPED, "desk", T0);
	look(T0 + GRACE - 1);
	assert_int_equal(all.v[0].raised_ms, 0);
	assert_int_equal(news(0, T0 + GRACE - 1), STANDING_NOTHING);
	look(T0 + GRACE);
	assert_int_equal(all.n, 0);
	find(ALARM_SINK_STOPPED, "desk", T0 + GRACE);
	look(T0 + GRACE);
	assert_int_equal(all.v[0].raised_ms, 0);
}

static void what_lasts_is_raised_and_cleared_once(void **state)
{
	(void)state;
	for (int64_t t = 0; t <= 2 * GRACE; t += GRACE / 2) {
		find(ALARM_SINK_STOPPED, "desk", T0);
		look(T0 + t);
		assert_int_equal(all.v[0].just_raised, t == GRACE);
		assert_int_equal(news(0, T0 + t), t >= GRACE ? STANDING_RAISED : STANDING_NOTHING);
	}
	all.v[0].told = true;
	assert_int_equal(news(0, T0 + 2 * GRACE), STANDING_NOTHING);
	look(T0 + 3 * GRACE);
	assert_true(all.v[0].just_ended);
	assert_int_equal(news(0, T0 + 3 * GRACE), STANDING_CLEARED);
	assert_false(standing_is_done(&all.v[0]));
	look(T0 + 4 * GRACE);
	assert_false(all.v[0].just_ended);
	all.v[0].done = true;
	assert_int_equal(news(0, T0 + 4 * GRACE), STANDING_NOTHING);
	assert_true(standing_is_done(&all.v[0]));
}

/* What a person must mend is raised at once, and what nobody says the beginning of begins when it is found. */
static void what_needs_no_patience_is_raised_at_once(void **state)
{
	(void)state;
	find(ALARM_SINK_BROKEN, "desk", 0);
	look(T0);
	assert_true(all.v[0].just_raised);
	assert_int_equal(all.v[0].alarm.since_ms, T0);
}

static void a_clock_that_jumps_holds_nothing_up(void **state)
{
	(void)state;
	find(ALARM_SINK_STOPPED, "desk", T0 + 10 * GRACE);
	look(T0);
	assert_int_equal(all.v[0].alarm.since_ms, T0);
	find(ALARM_SINK_STOPPED, "desk", T0 + 10 * GRACE);
	look(T0 - 10 * GRACE);
	assert_true(all.v[0].just_raised);
}

static void each_thing_stands_by_itself(void **state)
{
	(void)state;
	find(ALARM_SINK_BROKEN, "desk", T0);
	find(ALARM_SINK_BROKEN, "page", T0);
	find(ALARM_SINK_BROKEN, "desk", T0); /* twice on the list */
	alarm_add(&found, ALARM_SINK_BROKEN, "source", "desk", "a source of the same name");
	look(T0);
	assert_int_equal(all.n, 3);
	find(ALARM_SINK_BROKEN, "page", T0);
	look(T0 + 1);
	assert_true(all.v[0].just_ended && !all.v[1].just_ended && all.v[2].just_ended);
}

/* Nobody knew, so nobody needs to know; but that the journal refused is told afterwards. */
static void what_is_over_before_anybody_was_told(void **state)
{
	(void)state;
	find(ALARM_SINK_BROKEN, "desk", T0);
	look(T0);
	look(T0 + 1);
	assert_int_equal(news(0, T0 + 1), STANDING_NOTHING);
	assert_true(standing_is_done(&all.v[0]));
	standings_drop(&all, 0);
	find(ALARM_JOURNAL_REFUSING, "", T0 - GRACE);
	look(T0);
	look(T0 + 1);
	assert_false(standing_is_done(&all.v[0]));
	assert_int_equal(news(0, T0 + 1), STANDING_RAISED);
	all.v[0].told = true;
	assert_int_equal(news(0, T0 + 1), STANDING_CLEARED);
	all.v[0].done = true;
	assert_true(standing_is_done(&all.v[0]));
}

static void what_comes_back_before_it_was_told_was_never_away(void **state)
{
	(void)state;
	find(ALARM_SINK_BROKEN, "desk", T0);
	look(T0);
	all.v[0].told = true;
	look(T0 + 1);
	find(ALARM_SINK_BROKEN, "desk", T0 + 2);
	look(T0 + 2);
	assert_int_equal(all.v[0].raised_ms, T0);
	assert_false(all.v[0].just_raised);
	assert_int_equal(news(0, T0 + 2), STANDING_NOTHING);
}

static void what_repeats_is_told_together(void **state)
{
	(void)state;
	find(ALARM_DELIVERIES_DEAD, "desk", 0)->count = 0; /* told by a process that did not come to write it down */
	look(T0);
	assert_int_equal(news(T0 - GRACE, T0), STANDING_NOTHING);
	find(ALARM_DELIVERIES_DEAD, "desk", 0)->count = 3;
	look(T0);
	assert_int_equal(news(T0 - 1, T0), STANDING_NOTHING);
	assert_int_equal(news(T0 - GRACE, T0), STANDING_RAISED);
	all.v[0].told = true;
	find(ALARM_DELIVERIES_DEAD, "desk", 0)->count = 5;
	look(T0 + 1000);
	assert_int_equal(news(T0, T0 + 1000), STANDING_NOTHING);
	assert_int_equal(news(T0, T0 + GRACE), STANDING_MORE);
	find(ALARM_DELIVERIES_DEAD, "desk", 0)->count = 0; /* told */
	look(T0 + GRACE);
	assert_int_equal(news(T0 + GRACE, T0 + 3 * GRACE), STANDING_NOTHING);
	look(T0 + 12 * GRACE);
	assert_int_equal(news(T0 + GRACE, T0 + 12 * GRACE), STANDING_CLEARED);
}

static void the_next_process_knows(void **state)
{
	struct buf name = { 0 }, value = { 0 };
	(void)state;
	find(ALARM_SINK_STOPPED, "desk", T0);
	look(T0 + GRACE);
	all.v[0].told = true;
	standing_write(&all.v[0], &name, &value);
	standings_free(&all);
	assert_false(standing_read(&all, STR("source desk"), buf_str(&value)));
	assert_false(standing_read(&all, STR("alarm no_such sink desk"), buf_str(&value)));
	assert_false(standing_read(&all, buf_str(&name), STR("1 2")));
	assert_true(standing_read(&all, buf_str(&name), buf_str(&value)));
	assert_string_equal(all.v[0].alarm.text, "desk does not work");
	assert_string_equal(all.v[0].alarm.what, "sink");

	standings_update(&all, &found, T0 + 2 * GRACE, GRACE, false); /* too early to say that it is over */
	assert_int_equal(news(0, T0 + 2 * GRACE), STANDING_NOTHING);
	find(ALARM_SINK_STOPPED, "desk", T0 + 2 * GRACE); /* it still stands, though it seems young */
	look(T0 + 2 * GRACE);
	assert_false(all.v[0].just_raised);
	assert_int_equal(all.v[0].alarm.since_ms, T0);
	look(T0 + 3 * GRACE);
	assert_int_equal(news(0, T0 + 3 * GRACE), STANDING_CLEARED);
	buf_free(&name);
	buf_free(&value);
}

/* A process that ended in the middle of telling is followed by one that tells the same, and the rest later. */
static void what_was_being_told_is_told_again(void **state)
{
	struct buf name = { 0 }, value = { 0 };
	struct alarm *alarm = find(ALARM_DELIVERIES_DEAD, "desk", 0);
	(void)state;
	alarm->count = alarm->total = 2;
	look(T0);
	all.v[0].pending = true;
	standing_write(&all.v[0], &name, &value);
	standings_free(&all);
	assert_true(standing_read(&all, buf_str(&name), buf_str(&value)));
	alarm = find(ALARM_DELIVERIES_DEAD, "desk", 0);
	alarm->count = alarm->total = 5;
	look(T0 + 1);
	assert_int_equal(news(T0, T0 + 1), STANDING_RAISED); /* at once */
	assert_int_equal(all.v[0].alarm.count, 2);
	assert_int_equal(all.v[0].alarm.total, 2);
	all.v[0].told = true;
	all.v[0].pending = false;
	alarm = find(ALARM_DELIVERIES_DEAD, "desk", 0);
	alarm->count = 3;
	alarm->total = 5;
	look(T0 + 2);
	assert_int_equal(news(T0 + 1, T0 + 2), STANDING_NOTHING);
	assert_int_equal(news(T0 + 1, T0 + 1 + GRACE), STANDING_MORE);
	buf_free(&name);
	buf_free(&value);
}

static void what_was_not_found_again_is_over(void **state)
{
	(void)state;
	assert_true(standing_read(&all, STR("alarm journal_refusing - "), STR("5 6 0 1 0 0 journal: full")));
	assert_string_equal(all.v[0].alarm.what, "");
	assert_string_equal(all.v[0].alarm.about, "");
	look(T0);
	assert_true(all.v[0].just_ended);
}

/* The same news, told anew by a process that does not know whether it was told, has the same key; others have others.
 */
static void news_that_is_the_same_has_the_same_key(void **state)
{
	struct buf data = { 0 }, key = { 0 };
	struct journal_record record;
	char *first, *total;
	(void)state;
	find(ALARM_DELIVERIES_DEAD, "desk", 0)->total = 3;
	look(T0);
	alarm_event(&all.v[0], STANDING_RAISED, 0, T0, &data, &key, &record);
	assert_true(id_is_own(&record.id));
	assert_true(str_is(record.source, "patchbay") && str_is(record.type, "deliveries_dead") &&
		    str_is(record.subject, "desk"));
	first = strdup(buf_cstr(&key));
	alarm_event(&all.v[0], STANDING_RAISED, 0, T0 + 5, &data, &key, &record);
	assert_string_equal(first, buf_cstr(&key));
	all.v[0].alarm.total = 4;
	alarm_event(&all.v[0], STANDING_MORE, T0, T0 + 5, &data, &key, &record);
	assert_string_not_equal(first, buf_cstr(&key));
	total = strdup(buf_cstr(&key));
	look(T0 + 9);
	alarm_event(&all.v[0], STANDING_CLEARED, T0, T0 + 9, &data, &key, &record);
	assert_string_not_equal(total, buf_cstr(&key));
	assert_non_null(strstr(buf_cstr(&data), "\"state\":\"cleared\",\"what\":\"sink\",\"about\":\"desk\""));
	free(first);
	free(total);
	buf_free(&data);
	buf_free(&key);
}

static void every_type_has_an_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALARM_TYPES; i++) {
		struct buf data = { 0 };
		assert_int_equal(alarm_find(str_c(alarm_types[i].name)), i);
		alarm_event_example((enum alarm_id)i, "look: ", &data);
		assert_non_null(strstr(buf_cstr(&data), alarm_types[i].name));
		assert_non_null(strstr(buf_cstr(&data), "\"message\":\"look: "));
		buf_free(&data);
	}
	assert_int_equal(alarm_find(STR("no_such")), ALARM_TYPES);
}

static void spans_are_for_people(void **state)
{
	char out[CLOCK_SPAN_SIZE];
	(void)state;
	assert_string_equal(alarm_show_span(0, out), "0 s");
	assert_string_equal(alarm_show_span(1500, out), "1 s");
	assert_string_equal(alarm_show_span(61000, out), "1 min 1 s");
	assert_string_equal(alarm_show_span(12000000, out), "3 h 20 min");
	assert_string_equal(alarm_show_span(INT64_C(86400000) * 3, out), "3 d");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_last_is_never_raised),
		TEST(what_lasts_is_raised_and_cleared_once),
		TEST(what_needs_no_patience_is_raised_at_once),
		TEST(a_clock_that_jumps_holds_nothing_up),
		TEST(each_thing_stands_by_itself),
		TEST(what_is_over_before_anybody_was_told),
		TEST(what_comes_back_before_it_was_told_was_never_away),
		TEST(what_repeats_is_told_together),
		TEST(the_next_process_knows),
		TEST(what_was_being_told_is_told_again),
		TEST(what_was_not_found_again_is_over),
		TEST(news_that_is_the_same_has_the_same_key),
		TEST(every_type_has_an_example),
		TEST(spans_are_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
