/* test_dead_groups.c - dead letters with the same cause are one group, those with another are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/dead_groups.h"

#include <stdio.h>
#include <string.h>

static void check(const char *why, const char *wanted)
{
	struct buf out = { 0 };
	dead_generalise(str_c(why), &out);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_free(&out);
}

static void numbers_and_ids_become_signs(void **state)
{
	(void)state;
	check("vehicle 17 is not known", "vehicle # is not known");
	check("no user 'bob.johnson@example.org' (E-17)", "no user '#' (#)");
	check("event 0193528a-7c7e-7bbb-8e55-2d2c0a0f1c11: too late by 3.5 s", "event #: too late by # s");
	check("http://10.0.0.1:8080/x9/y: connection refused", "http://#:#/#/y: connection refused");
	check("17", "#");
	check("", "");
	check("Fahrzeug \xc3\xbc"
	      "12\xc3\xbc",
	      "Fahrzeug \xc3\xbc#\xc3\xbc");
}

static void what_says_the_cause_stays(void **state)
{
	(void)state;
	check("the server answered 404: no such channel", "the server answered 404: no such channel");
	check("550 mailbox 1234 is full", "550 mailbox # is full");
	check("HTTP 503", "HTTP 503");
	check("nothing after 200 ms", "nothing after # ms");
	check("it ended. Then nothing...", "it ended. Then nothing...");
}

static struct journal_dead letter(const char *sink, const char *class_, const char *why, int64_t at_ms, uint8_t id)
{
	return (struct journal_dead){ .sink = sink,
				      .class_ = class_,
				      .why = why,
				      .at_ms = at_ms,
				      .id = { { id } },
				      .state = JOURNAL_STATE_DEAD };
}

static void same_cause_same_group(void **state)
{
	(void)state;
	const struct journal_dead letters[] = {
		letter("hook", "event", "the name is missing", 5, 1),
		letter("hook", "event", "vehicle 1 is not known", 10, 2),
		letter("hook", "event", "vehicle 2 is not known", 20, 3),
		letter("hook", "gave up", "vehicle 2 is not known", 21, 4),
		letter("audit", "event", "vehicle 2 is not known", 22, 5),
		letter("hook", "event", "vehicle 33 is not known", 30, 6),
		letter("hook", "event", "the name is missing", 40, 7),
	};
	struct dead_groups groups = { 0 };
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		dead_groups_add(&groups, &letters[i]);
	dead_groups_sort(&groups);
	assert_int_equal(groups.n, 4);
	const struct dead_group *first = &groups.v[0], *second = &groups.v[1];
	assert_int_equal(first->count, 3);
	assert_string_equal(first->sink, "hook");
	assert_string_equal(first->class_, "event");
	assert_string_equal(first->pattern, "vehicle # is not known");
	assert_string_equal(first->why, "vehicle 33 is not known");
	assert_false(first->alike);
	assert_int_equal(first->first_ms, 10);
	assert_int_equal(first->last_ms, 30);
	assert_int_equal(first->newest.b[0], 6);
	assert_int_equal(second->count, 2);
	assert_true(second->alike);
	assert_int_equal(groups.v[2].count, 1);
	assert_string_equal(groups.v[2].sink, "audit"); /* the newer one first */
	dead_groups_free(&groups);
	assert_int_equal(groups.n, 0);
}

static void what_is_too_various_is_counted(void **state)
{
	struct dead_groups groups = { 0 };
	(void)state;
	for (int i = 0; i < DEAD_GROUPS_MAX + 5; i++) {
		char why[10] = { (char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676) };
		struct journal_dead dead = letter("hook", NULL, why, i, 1);
		dead_groups_add(&groups, &dead);
	}
	assert_int_equal(groups.n, DEAD_GROUPS_MAX);
	assert_int_equal(groups.others, 5);
	assert_string_equal(groups.v[0].class_, "");
	dead_groups_free(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_ids_become_signs),
		cmocka_unit_test(what_says_the_cause_stays),
		cmocka_unit_test(same_cause_same_group),
		cmocka_unit_test(what_is_too_various_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
