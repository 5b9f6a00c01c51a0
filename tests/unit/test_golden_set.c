/* test_golden_set.c - edits of a sample: one value is replaced, all else stays byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/golden.h"

#include <string.h>

static patchbay_call call;

static int setup(void **state)
{
	(void)state;
	call_init(&call, 1 << 20);
	call_begin(&call, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	call_fini(&call);
	return 0;
}

static void assert_set(const char *text, const char *path, const char *json, const char *expected)
{
	patchbay_str got = str_c(text);
	struct err err = { "" };
	if (golden_set(&call, str_c(path), str_c(json), &got, &err) < 0)
		fail_msg("%s in %s: %s", path, text, err.text);
	if (!str_is(got, expected))
		fail_msg("'%.*s' instead of '%s'", STR_ARG(got), expected);
}

static void assert_not_set(const char *text, const char *path, const char *why)
{
	patchbay_str got = str_c(text);
	struct err err = { "" };
	assert_int_equal(golden_set(&call, str_c(path), STR("1"), &got, &err), -1);
	assert_string_equal(err.text, why);
	assert_true(str_is(got, text));
}

static void replaces_one_value(void **state)
{
	(void)state;
	assert_set("{ \"a\" : 1.50,\"b\":[1,{\"c\":null}] }", "a", "\"x\"", "{ \"a\" : \"x\",\"b\":[1,{\"c\":null}] }");
	assert_set("{\"a\":1,\"b\":[1,{\"c\":null}]}", "b.1.c", "{}", "{\"a\":1,\"b\":[1,{\"c\":{}}]}");
	assert_set("{\"a\":1,\"b\":[1,{\"c\":null}]}", "b.0", "12345678901234567890",
		   "{\"a\":1,\"b\":[12345678901234567890,{\"c\":null}]}");
	assert_set("[\"x\"]", "0", "1", "[1]");
}

static void adds_a_member_that_is_missing(void **state)
{
	(void)state;
	assert_set("{\"a\":1}", "b", "2", "{\"b\": 2, \"a\":1}");
	assert_set("{\"a\":{}}", "a.\"b", "2", "{\"a\":{\"\\\"b\": 2}}");
}

static void says_what_is_not_there(void **state)
{
	(void)state;
	assert_not_set("{\"a\":{}}", "b.c", "there is no 'b' in the body");
	assert_not_set("{\"a\":[1]}", "a.1", "there is no 'a.1' in the body");
	assert_not_set("{\"a\":[1]}", "a.x.y", "there is no 'a.x' in the body");
	assert_not_set("{\"a\":[1]}", "a.", "there is no 'a.' in the body");
	assert_not_set("{\"a\":[1]}", "a.99999999999", "there is no 'a.99999999999' in the body");
	assert_not_set("{\"a\":\"s\"}", "a.b", "there is no 'a.b' in the body");
	assert_not_set("a=1", "a", "the body is not JSON, so nothing can be set in it");
}

static void values_of_yaml_are_json(void **state)
{
	static const char yaml[] =
		"{a: 1, b: '1', c: -0.5, d: true, e: 'true', f: ~, g: 1e, h: [x, {}], i: 2024-01-01, "
		"j: \"q\\\"\\n\", k: 12345678901234567890, l: '', m: -}";
	struct config_faults found = { 0 };
	struct faults faults = { .path = "x", .list = &found };
	struct buf out = { 0 };
	(void)state;
	struct node *node = yaml_parse(str_c(yaml), &faults);
	assert_non_null(node);
	golden_json(node, &out);
	assert_string_equal(
		buf_cstr(&out),
		"{\"a\": 1, \"b\": \"1\", \"c\": -0.5, \"d\": true, \"e\": \"true\", \"f\": null, \"g\": \"1e\", "
		"\"h\": [\"x\", {}], \"i\": \"2024-01-01\", \"j\": \"q\\\"\\n\", \"k\": 12345678901234567890, "
		"\"l\": \"\", \"m\": \"-\"}");
	buf_free(&out);
	node_free(node);
	config_faults_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_one_value),
		cmocka_unit_test(adds_a_member_that_is_missing),
		cmocka_unit_test(says_what_is_not_there),
		cmocka_unit_test(values_of_yaml_are_json),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
