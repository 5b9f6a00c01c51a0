/* test_clauses.c - the sentence about a filter that was not true names the part that decided, and the values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "expr/clauses.h"

#include <stdlib.h>
#include <string.h>

static const char brake[] =
	"{\"id\":1744302113019687286,\"type\":\"hard_corner\",\"score\":71,\"tags\":[\"night\",\"rain\"],\"and\":1,"
	"\"location\":\"5 km NE of Knoxville, TN, at a place whose name is so long that nobody wants to read all of "
	"it\",\"vehicle\":{\"number\":\"T-101\"}}";

static int setup(void **state)
{
	patchbay_call *call = calloc(1, sizeof(*call));
	call_init(call, 64 << 20);
	*state = call;
	return 0;
}

static int teardown(void **state)
{
	call_fini(*state);
	free(*state);
	return 0;
}

static void check(void **state, const char *program, const char *wanted)
{
	patchbay_call *call = *state;
	patchbay_delivery event = {
		.size = sizeof(event),
		.id = STR("0193528a-7c7e-7bbb-8e55-2d2c0a0f1c11"),
		.source = STR("fleet"),
		.plugin = STR("yard"),
		.type = STR("driver_performance_event_created"),
		.kind = STR("driver_performance_event_created"),
		.data = str_c(brake),
	};
	struct buf out = { 0 };
	call_begin(call, 0);
	clauses_explain(call, str_c(program), &event, &out);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_free(&out);
}

static void a_comparison_shows_its_values(void **state)
{
	check(state, ".data.score > 80", "`.data.score > 80` was false, .data.score is 71");
	check(state, ".data.type==\"hard_brake\"",
	      "`.data.type==\"hard_brake\"` was false, .data.type is \"hard_corner\"");
	check(state, "80 <= .data.score", "`80 <= .data.score` was false, .data.score is 71");
	check(state, ".data.score > .data.limit + 80",
	      "`.data.score > .data.limit + 80` was false, .data.score is 71, .data.limit + 80 is 80");
	check(state, ".data.nowhere == \"x\"", "`.data.nowhere == \"x\"` was false, .data.nowhere is null");
	check(state, ".data.id == 5", "`.data.id == 5` was false, .data.id is 1744302113019687286");
}

static void what_is_true_needs_no_words(void **state)
{
	check(state, ".data.score > 70", "");
	check(state, ".data.score > 80 or .data.type == \"hard_corner\"", "");
}

static void of_an_and_the_first_that_is_not_true(void **state)
{
	check(state, ".source == \"fleet\" and .data.score > 80 and .data.type == \"hard_brake\"",
	      "`.data.score > 80` was false, .data.score is 71");
	check(state, ".data.score > 70 and .data.vehicle.driver", "`.data.vehicle.driver` was null");
}

static void of_an_or_every_part(void **state)
{
	check(state, ".data.score > 80 or .data.type == \"hard_brake\"",
	      "`.data.score > 80` was false, .data.score is 71; "
	      "`.data.type == \"hard_brake\"` was false, .data.type is \"hard_corner\"");
	check(state, ".test or .source == \"fleet\" and .data.score > 80",
	      "`.test` was false; `.data.score > 80` was false, .data.score is 71");
}

static void brackets_are_looked_into(void **state)
{
	check(state, "(.data.score > 80 or .test) and .source == \"fleet\"",
	      "`.data.score > 80` was false, .data.score is 71; `.test` was false");
	check(state, "((.data.score > 80))", "`.data.score > 80` was false, .data.score is 71");
	check(state, "(.data.score > 70) and (.data.score > 80)", "`.data.score > 80` was false, .data.score is 71");
}

static void strings_and_names_are_no_operators(void **state)
{
	check(state, ".data.location == \"here and there or nowhere\"",
	      "`.data.location == \"here and there or nowhere\"` was false, .data.location is \"5 km NE of Knoxville, "
	      "TN, at a place whose name is so long that nobody wants to...");
	check(state, ".data.and == 2", "`.data.and == 2` was false, .data.and is 1");
	check(state, "\"\\(.data.score > 1 and .test)\" == \"x\"",
	      "`\"\\(.data.score > 1 and .test)\" == \"x\"` was false");
	check(state, "# and\n.data.score > 80 # or",
	      "`# and .data.score > 80 # or` was false, # and .data.score is 71");
}

static void when_unsure_in_one_piece(void **state)
{
	check(state, "if .data.score > 80 and .test then true else false end",
	      "`if .data.score > 80 and .test then true else false end` was false");
	check(state, ".data.score as $s | $s > 80 and $s < 90", "`.data.score as $s | $s > 80 and $s < 90` was false");
	check(state, "def f: .data.score > 80; f and true", "`def f: .data.score > 80; f and true` was false");
}

/* It binds looser than the comparison, which the one who wrote the filter may not have known. */
static void of_alternatives_every_part(void **state)
{
	check(state, ".data.limit // 80 < 70 and true", "`.data.limit` was null; `80 < 70` was false");
	check(state, ".data.nowhere // .data.score > 80",
	      "`.data.nowhere` was null; `.data.score > 80` was false, "
	      ".data.score is 71");
	check(state, "(.data.nowhere // .data.score) > 80",
	      "`(.data.nowhere // .data.score) > 80` was false, (.data.nowhere // .data.score) is 71");
}

static void select_is_looked_into_and_any_shows_its_values(void **state)
{
	check(state, "select(.source == \"fleet\" and .data.score > 80)",
	      "`.data.score > 80` was false, .data.score is 71");
	check(state, ".test or select (.data.score > 80)",
	      "`.test` was false; `.data.score > 80` was false, .data.score is 71");
	check(state, "select(.data.score > 80) | (.test)",
	      "`select(.data.score > 80) | (.test)` was null, select(.data.score > 80) is null");
	check(state, "any(.data.tags[]; . == \"day\" and true)",
	      "`any(.data.tags[]; . == \"day\" and true)` was false, [.data.tags[]] is [\"night\",\"rain\"]");
	check(state, ".source == \"fleet\" and all(.data.tags[]; . == \"day\")",
	      "`all(.data.tags[]; . == \"day\")` was false, [.data.tags[]] is [\"night\",\"rain\"]");
	check(state, "(.data.score > 70 and .source == \"fleet\") | not",
	      "`(.data.score > 70 and .source == \"fleet\") | not` was false, (.data.score > 70 and .source == "
	      "\"fleet\") is true");
}

static void what_sets_instead_of_comparing_is_known(void **state)
{
	(void)state;
	assert_true(clauses_assigns(STR(".data.type = \"hard_brake\"")));
	assert_true(clauses_assigns(STR(".source == \"fleet\" and (.data.type = \"hard_brake\")")));
	assert_true(clauses_assigns(STR(".data.a == 1 or .data.type = 2")));
	assert_false(clauses_assigns(STR(".data.type == \"a = b\"")));
	assert_false(clauses_assigns(STR(".data.a >= 1, .data.b")));
	assert_false(clauses_assigns(STR(".data.a = 1 | .data.b == 2")));
	assert_false(clauses_assigns(STR(".data.a |= . + 1")));
}

static void of_a_pipe_what_goes_in(void **state)
{
	check(state, ".data.type | test(\"brake\")",
	      "`.data.type | test(\"brake\")` was false, .data.type is \"hard_corner\"");
	check(state, ".data.nothing // .data.tags | contains([\"day\"])",
	      "`.data.nothing // .data.tags | contains([\"day\"])` was false, "
	      ".data.nothing // .data.tags is [\"night\",\"rain\"]");
	check(state, ".source == \"fleet\" and (.data.type | test(\"brake\"))",
	      "`.data.type | test(\"brake\")` was false, .data.type is \"hard_corner\"");
}

static void what_fails_says_why(void **state)
{
	check(state, ".source == \"fleet\" and .data.type.name == \"x\"",
	      "`.data.type.name == \"x\"`: Cannot index string with string \"name\"");
}

static void several_values(void **state)
{
	check(state, "(.data.tags[] == \"night\") and (.data.score > 80)",
	      "`.data.score > 80` was false, .data.score is 71");
	check(state, "empty", "`empty` was null");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_comparison_shows_its_values),
		T(what_is_true_needs_no_words),
		T(of_an_and_the_first_that_is_not_true),
		T(of_an_or_every_part),
		T(brackets_are_looked_into),
		T(strings_and_names_are_no_operators),
		T(when_unsure_in_one_piece),
		T(of_alternatives_every_part),
		T(select_is_looked_into_and_any_shows_its_values),
		T(of_a_pipe_what_goes_in),
		T(what_fails_says_why),
		T(several_values),
		T(what_sets_instead_of_comparing_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
