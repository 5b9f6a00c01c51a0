/* test_expr.c - expressions: what the selecting evaluator gives must be what libjq gives (but for the
 * digits of numbers), what is off must be off, and what is broken must be said in a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "expr/expr.h"
#include "expr/select.h"

#include <jq.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int try_compile(enum expr_form form, patchbay_str text, struct err *err)
{
	patchbay_expr *expr = expr_compile(form, text, err);
	expr_free(expr);
	return expr ? 0 : -1;
}

static const char data_json[] =
	"{\"id\": 1744302113019687286, \"neg\": -15.715800000000002, \"exp\": 1E2, \"zero\": 0, \"empty\": \"\",\n"
	" \"name\": \"J\\u00fcrgen \\\"Joe\\\" \\ud83d\\ude9a\\n\", \"no\": false, \"yes\": true, \"nil\": null,\n"
	" \"list\": [1, \"two\", {\"x\" : [ ] , \"y\":\"a  b\\\\\"}, [3, 4]], \"vehicle\": {\"id\": 9007199254740993, "
	"\"number\": \"T-101\"},\n"
	" \"a b\": {\"c.d\": \"spaced\"}, \"dup\": 1, \"dup\": 2, \"and\": \"keyword\", \"\": \"nameless\", \"if\": "
	"{\"env\": 7},\n"
	" \"deep\": [[[[[[[[[[\"ten\"]]]]]]]]]]}";

static patchbay_delivery delivery(const char *data)
{
	return (patchbay_delivery){
		.size = sizeof(patchbay_delivery),
		.attempt = 1,
		.time_source = PATCHBAY_TIME_PROVIDER,
		.dedupe = PATCHBAY_WEAK,
		.id = STR("0193528a-7c7e-7bbb-8e55-2d2c0a0f1c11"),
		.source = STR("fleet"),
		.plugin = STR("yard"),
		.type = STR("fault_code_opened"),
		.kind = STR("fault_code_opened"),
		.subject = STR(""),
		.data = str_c(data),
		.time_ns = INT64_C(1763784834123000000),
		.received_ns = INT64_C(1763784835000000000),
	};
}

/* ---- The lanes of a sink share its expressions */

#define RUNNERS 4

struct runner {
	pthread_t thread;
	const patchbay_expr *expr;
	char data[40], wanted[40];
	int wrong;
};

static void *evaluate(void *arg)
{
	struct runner *r = arg;
	patchbay_call call = { 0 };
	patchbay_delivery d = delivery(r->data);
	call_init(&call, 16 << 20);
	for (int i = 0; i < 2000; i++) {
		patchbay_value value = { .size = sizeof(value) };
		call_begin(&call, 0);
		if (!expr_eval(&call, r->expr, &d, NULL, NULL, &value) || !str_is(value.text, r->wanted))
			r->wrong++;
	}
	call_fini(&call);
	return NULL;
}

static void threads_share_an_expression(void **state)
{
	struct runner runners[RUNNERS] = { 0 };
	struct err err;
	patchbay_expr *expr = expr_compile(EXPR_PROGRAM, STR("{n: (.data.n + 1)}"), &err);
	(void)state;
	assert_non_null(expr);
	for (int i = 0; i < RUNNERS; i++) {
		runners[i].expr = expr;
		snprintf(runners[i].data, sizeof(runners[i].data), "{\"n\":%d}", i * 100);
		snprintf(runners[i].wanted, sizeof(runners[i].wanted), "{\"n\":%d}", i * 100 + 1);
		assert_int_equal(pthread_create(&runners[i].thread, NULL, evaluate, &runners[i]), 0);
	}
	for (int i = 0; i < RUNNERS; i++) {
		pthread_join(runners[i].thread, NULL);
		assert_int_equal(runners[i].wrong, 0);
	}
	expr_free(expr);
}

static int setup(void **state)
{
	patchbay_call *call = calloc(1, sizeof(*call));
	call_init(call, 16 << 20);
	call_begin(call, 0);
	*state = call;
	return 0;
}

static int teardown(void **state)
{
	call_fini(*state);
	free(*state);
	return 0;
}

static patchbay_expr *compile(enum expr_form form, const char *text)
{
	struct err err = { "" };
	patchbay_expr *expr = expr_compile(form, str_c(text), &err);
	if (!expr)
		fail_msg("%s: %s", text, err.text);
	return expr;
}

/* The text that it gives for the event, "!..." if it failed. */
static const char *run(patchbay_call *call, const patchbay_expr *expr, const patchbay_delivery *d, int32_t *ret_type)
{
	patchbay_value value = { .size = sizeof(value) };
	bool ok = expr_eval(call, expr, d, NULL, NULL, &value);
	patchbay_str shown = ok ? value.text : call->why;
	char *copy = arena_alloc(&call->arena, shown.n + 2);
	memcpy(copy + !ok, shown.p, shown.n);
	if (!ok)
		copy[0] = '!';
	if (ret_type)
		*ret_type = ok ? value.type : 0;
	return copy;
}

static const char *eval(patchbay_call *call, enum expr_form form, const char *text, const patchbay_delivery *d,
			int32_t *ret_type)
{
	patchbay_expr *expr = compile(form, text);
	const char *got = run(call, expr, d, ret_type);
	expr_free(expr);
	return got;
}

static void assert_gives(patchbay_call *call, const char *program, const char *expected)
{
	patchbay_delivery d = delivery(data_json);
	assert_string_equal(eval(call, EXPR_PROGRAM, program, &d, NULL), expected);
}

static void assert_text(patchbay_call *call, const char *text, const char *expected)
{
	patchbay_delivery d = delivery(data_json);
	assert_string_equal(eval(call, EXPR_TEXT, text, &d, NULL), expected);
}

/* ---- The two evaluators agree */

static jv as_jv(int32_t type, const char *text)
{
	if (type == PATCHBAY_JSON_NULL)
		return jv_null();
	return type == PATCHBAY_JSON_STRING ? jv_string(text) : jv_parse(text);
}

/* The same program with parentheses, so that libjq must do it: (a)? // (b)? // (c). libjq 1.6 fails where an
 * alternative fails; here that one is missing, as in the manual of jq. */
static void for_libjq(const char *program, char *out)
{
	bool inside = false;
	*out++ = '(';
	for (const char *p = program; *p; p++) {
		inside ^= *p == '"' && (p == program || p[-1] != '\\');
		if (!inside && p[0] == '/' && p[1] == '/') {
			out = stpcpy(out, ")? // (");
			p++;
		} else {
			*out++ = *p;
		}
	}
	strcpy(out, ")");
}

static void selecting_gives_what_libjq_gives(void **state)
{
	/* clang-format off */
	static const char *const programs[] = {
		".", " . ", ".id", ".source", ".plugin", ".type", ".kind", ".subject", ".time", ".time_source",
		".received", ".test", ".dedupe", ".data", ".details", ".details.x", ".details_error", ".nope",
		".nope.a.b", ".nope[0]", ".[\"id\"]", ".\"id\"",
		".[0]", ".[0]?", ".[-1]", ".id.a", ".id.a?", ".id[0]", ".id[0]?", ".test.x", ".test.x?", ".test?",
		".data.id", ".data.neg", ".data.exp", ".data.zero", ".data.empty", ".data.name", ".data.no",
		".data.yes", ".data.nil", ".data.nil.x", ".data.nil[3]", ".data.list", ".data.list[0]",
		".data.list[1]", ".data.list[2]", ".data.list[2].x", ".data.list[2].y", ".data.list[3][1]",
		".data.list[-1]", ".data.list[-1][-2]", ".data.list[-4]", ".data.list[-5]", ".data.list[4]",
		".data.list[999999999]", ".data.list[-0]", ".data.list[ 1 ]", ".data.list.x", ".data.list.x?",
		".data.list[\"x\"]", ".data.list[\"x\"]?", ".data[0]", ".data[0]?", ".data[\"a b\"]",
		".data[\"a b\"][\"c.d\"]", ".data.\"a b\".\"c.d\"", ".[\"data\"][\"id\"]", ".data.dup", ".data.and",
		".data.if.env", ".data[\"\"]", ".data.deep[0][0][0][0][0][0][0][0][0][0]", ".data.deep",
		".data.vehicle", ".data.vehicle.id", ".data.vehicle .number", ".data\n.vehicle\t.number",
		".data.vehicle?.number?", ".data.zero.x?", ".data.zero.x?.y", ".data.zero.x.y?", ".data.name.first",
		".data.name[0]", ".data.name[0]?.x", "\"literal\"", "\"\"",
		"\"q\\\"\\u00e9\\n\\t\\\\\\/ \\ud83d\\ude9a x\"", "1", "0", "1.50", "null", "true", "false",
		" \"x\" ", ".data.nope // .data.id", ".data.no // .data.yes", ".data.nil // \"none\"",
		".data.nope // null", ".data.nope // false", ".data.no // .data.nil", ".data.nil // .data.no",
		".data.zero // 1", ".data.empty // 1", ".id.x // .type", ".type // .id.x", ".id.x // .id.y",
		".id.x? // .id.y?", ".nope // .id.y", ".nope // .id.x // \"last\"", ".nope//.also_nope//.type",
		".nope // .id.x? // false", ".id.x? // null", "null // null", "false // false // 3",
		".data.zero.x? // .data.list[0]", "\"a//b\" // 1", ".nope // \"a//b\"", ".data // .", ".nope // .",
		"1 // 2 // 3", ".data.list[9] // .data.list[-9] // \"none\"",
	};
	/* clang-format on */
	static const char *const datas[] = { data_json, "[1,{\"id\":2}]", "\"text\"",          "17", "null",
					     "",        "not json",       "{\"id\":{\"x\":1}}" };
	patchbay_call *call = *state;
	size_t selecting = 0;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct select *select = select_parse(str_c(programs[i]));
		selecting += select != NULL;
		select_free(select);
		char whole[300];
		for_libjq(programs[i], whole);
		patchbay_expr *ours = compile(EXPR_PROGRAM, programs[i]), *theirs = compile(EXPR_PROGRAM, whole);
		for (size_t k = 0; k < sizeof(datas) / sizeof(datas[0]); k++) {
			patchbay_delivery d = delivery(datas[k]);
			int32_t a_type, b_type;
			call_begin(call, 0);
			const char *a = run(call, ours, &d, &a_type);
			const char *b = run(call, theirs, &d, &b_type);
			bool same = a_type == b_type && (a_type == 0 || jv_equal(as_jv(a_type, a), as_jv(b_type, b)));
			if (!same)
				fail_msg("%s over %s: %s, but libjq: %s", programs[i], datas[k], a, b);
		}
		expr_free(ours);
		expr_free(theirs);
	}
	assert_int_equal(selecting, sizeof(programs) / sizeof(programs[0]));
}

static void what_does_more_than_select_is_left_to_libjq(void **state)
{
	/* clang-format off */
	static const char *const programs[] = {
		"",        "..",      ".a.",     ".a..b", ".a.[0]",      ".a[1.5]", ".a[]",    ".a[1:2]",
		".a,.b",   ".a|.b", "-1",          "01",
		"1.",      ".5",      "1e3",     ".a??",  ".?",          ".a /", ".a //",   "// .a",   ".a / .b",
		"nil",   "\"\\(1)\"",   "\"", "\"\\q\"", ".a#c",    ".a?//.b", ".a b",  ".[a]",        ".[",
		".[\"a\"", "$x",      ".a[-]",   "nullx", ".a//.b///.c", ".a[1234567890]"
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (select_parse(str_c(programs[i])))
			fail_msg("taken for selecting: %s", programs[i]);
}

static void numbers_come_out_as_they_went_in(void **state)
{
	assert_gives(*state, ".data.id", "1744302113019687286");
	assert_gives(*state, ".data.vehicle.id", "9007199254740993");
	assert_gives(*state, ".data.neg", "-15.715800000000002");
	assert_gives(*state, ".data.exp", "1E2");
	assert_gives(*state, ".data.nope // .data.id // .data.zero", "1744302113019687286");
	assert_gives(*state, ".nope // 12345678901234567890", "12345678901234567890");
	assert_gives(*state, ".data.vehicle", "{\"id\":9007199254740993,\"number\":\"T-101\"}");
	assert_gives(*state, ".data.list", "[1,\"two\",{\"x\":[],\"y\":\"a  b\\\\\"},[3,4]]");
	assert_text(*state, "#\\(.data.id)", "#1744302113019687286");
}

static void strings_are_decoded_and_null_is_empty(void **state)
{
	int32_t type;
	patchbay_delivery d = delivery(data_json);
	assert_gives(*state, ".data.name", "J\xc3\xbcrgen \"Joe\" \xf0\x9f\x9a\x9a\n");
	assert_string_equal(eval(*state, EXPR_PROGRAM, ".data.nil", &d, &type), "");
	assert_int_equal(type, PATCHBAY_JSON_NULL);
	assert_string_equal(eval(*state, EXPR_PROGRAM, "empty", &d, &type), "");
	assert_int_equal(type, PATCHBAY_JSON_NULL);
	assert_string_equal(eval(*state, EXPR_PROGRAM, ".id.x?", &d, &type), "");
	assert_int_equal(type, PATCHBAY_JSON_NULL);
	assert_string_equal(eval(*state, EXPR_PROGRAM, ".data.list | length", &d, &type), "4");
	assert_int_equal(type, PATCHBAY_JSON_NUMBER);
	assert_string_equal(eval(*state, EXPR_PROGRAM, "[.data.dup, .test]", &d, &type), "[2,false]");
	assert_int_equal(type, PATCHBAY_JSON_ARRAY);
	assert_string_equal(eval(*state, EXPR_PROGRAM, "\"a\\u0000b\" | length", &d, &type), "3");
}

static void the_envelope_is_complete(void **state)
{
	patchbay_delivery d = delivery("[7]");
	d.test = 1;
	assert_string_equal(eval(*state, EXPR_PROGRAM, ".", &d, NULL),
			    "{\"id\":\"0193528a-7c7e-7bbb-8e55-2d2c0a0f1c11\",\"source\":\"fleet\",\"plugin\":\"yard\","
			    "\"type\":\"fault_code_opened\",\"kind\":\"fault_code_opened\",\"subject\":null,"
			    "\"time\":\"2025-11-22T04:13:54.123Z\",\"time_source\":\"provider\",\"received\":\"2025-11-"
			    "22T04:13:55Z\","
			    "\"test\":true,\"dedupe\":\"weak\",\"data\":[7],\"details\":null,\"details_error\":null}");
	d.time_source = PATCHBAY_TIME_RECEIVED;
	d.dedupe = PATCHBAY_NONE;
	d.subject = STR("42");
	assert_string_equal(eval(*state, EXPR_PROGRAM, "[.time_source,.dedupe,.subject]", &d, NULL),
			    "[\"received\",\"none\",\"42\"]");
	assert_string_equal(eval(*state, EXPR_PROGRAM, "keys | length", &d, NULL), "14");
	size_t n = 0;
	while (expr_envelope_fields[n])
		n++;
	assert_int_equal(n, 14);
	d.details = STR("{\"errors\": [12345678901234567890]}");
	assert_string_equal(eval(*state, EXPR_PROGRAM, ".details.errors[0]", &d, NULL), "12345678901234567890");
	assert_string_equal(eval(*state, EXPR_PROGRAM, ".details.errors | length", &d, NULL), "1");
	d.details = STR("");
	d.details_error = STR("the API does not answer");
	assert_string_equal(eval(*state, EXPR_TEXT, "\\(.details // \"none\"): \\(.details_error)", &d, NULL),
			    "none: the API does not answer");
}

static void two_deliveries_in_one_call_are_not_confused(void **state)
{
	patchbay_call *call = *state;
	struct err err;
	patchbay_value value = { .size = sizeof(value) };
	patchbay_delivery d[2] = { delivery("{\"n\":1}"), delivery("{\"n\":2}") };
	patchbay_expr *expr = expr_compile(EXPR_PROGRAM, STR(".data.n * 10"), &err);
	for (int i = 0; i < 6; i++) {
		assert_true(expr_eval(call, expr, &d[i % 2], NULL, NULL, &value));
		assert_true(str_is(value.text, i % 2 ? "20" : "10"));
	}
	call_begin(call, 0);
	d[0].data = STR("{\"n\":3}");
	assert_true(expr_eval(call, expr, &d[0], NULL, NULL, &value));
	assert_true(str_is(value.text, "30"));
	expr_free(expr);
}

static void data_that_is_no_json_is_null(void **state)
{
	patchbay_call *call = *state;
	patchbay_delivery d = delivery("ping \xff");
	assert_string_equal(eval(call, EXPR_PROGRAM, ".data // \"none\"", &d, NULL), "none");
	assert_string_equal(eval(call, EXPR_PROGRAM, ".data | type", &d, NULL), "null");
	assert_int_equal(call->why.n, 0); /* that is no failure */
}

static void bytes_that_are_no_utf8_do_no_harm(void **state)
{
	patchbay_call *call = *state;
	patchbay_delivery d = delivery("{}");
	d.subject = STR("a\xff\xfe\xed\xa0\x80z\"");
	const char *selected = eval(call, EXPR_PROGRAM, ".subject", &d, NULL);
	assert_non_null(strstr(selected, "\xef\xbf\xbd"));
	assert_string_equal(selected, eval(call, EXPR_PROGRAM, ".subject | .", &d, NULL));
	struct err err;
	assert_int_equal(try_compile(EXPR_PROGRAM, STR(". == \"\xff\""), &err), -1);
	assert_int_equal(try_compile(EXPR_TEXT, STR("\xff"), &err), -1);
	assert_int_equal(try_compile(EXPR_PROGRAM, (patchbay_str){ ". \0 | x", 7 }, &err), -1);
}

static void deep_data_is_no_danger(void **state)
{
	patchbay_call *call = *state;
	char data[600];
	for (int depth = 100; depth <= 250; depth += 150) {
		memset(data, '[', (size_t)depth);
		memset(data + depth, ']', (size_t)depth);
		data[2 * depth] = 0;
		patchbay_delivery d = delivery(data);
		const char *kind = depth == 100 ? "array" : "null"; /* deeper than 128: not JSON to us */
		assert_string_equal(eval(call, EXPR_PROGRAM, ".data | type", &d, NULL), kind);
		assert_string_equal(eval(call, EXPR_PROGRAM, ".data[0][0] | type", &d, NULL), kind);
	}
}

/* ---- What is off */

static void what_is_off_is_refused(void **state)
{
	/* clang-format off */
	static const char *const programs[] = {
		"env", "env.HOME", ".data | env", "$ENV.HOME", "$ENV", "{$ENV}", "input", "[inputs]", "debug",
		".a|stderr", "halt", "halt_error", "\"x\"|halt_error(1)", "input_filename", "input_line_number",
		"get_search_list", "modulemeta", "import \"a\" as a; .", "include \"a\"; .", "\"\\(env)\"",
		"\"\\(\"\\($ENV.PATH)\")\"", "{a: env}", "{a: (1, env)}", "if .a then . else env end",
		"{(env|tostring): 1}", "[1, env, 2]", "env as {a: $x} | $x", ". # comment\n| input", "get_jq_origin",
		"def f: input; f", "\"#\" + env.X",
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct err err = { "" };
		if (try_compile(EXPR_PROGRAM, str_c(programs[i]), &err) == 0)
			fail_msg("let through: %s", programs[i]);
		if (!strstr(err.text, "switched off"))
			fail_msg("%s: %s", programs[i], err.text);
	}
}

static void names_that_only_look_like_it_are_let_through(void **state)
{
	assert_gives(*state, ".data.if.env + 1", "8");
	assert_gives(*state, "{env: 1, input: 2} | .input", "2");
	assert_gives(*state, "{input, a: 1} | .input", "");
	assert_gives(*state, "{data: 5} | {debug: 1, halt} | .debug", "1");
	assert_gives(*state, "def input: 3; input", "3");
	assert_gives(*state, "\"env\" # input\n", "env");
	assert_gives(*state, "1 as $input | $input", "1");
}

static void what_the_scanner_misses_fails_when_run(void **state)
{
	patchbay_delivery d = delivery("{}");
	setenv("PATCHBAY_TEST_SECRET", "hunter2", 1);
	const char *got = eval(*state, EXPR_PROGRAM, "$ ENV | .PATCHBAY_TEST_SECRET", &d, NULL);
	assert_string_equal(got, "");
	got = eval(*state, EXPR_PROGRAM, "if false then (def env: 1; env) else env | .PATCHBAY_TEST_SECRET end", &d,
		   NULL);
	assert_non_null(strstr(got, "!"));
	assert_non_null(strstr(got, "`env` is switched off"));
}

/* ---- What is broken */

static void assert_refused(enum expr_form form, const char *text, const char *expected)
{
	struct err err = { "" };
	assert_int_equal(try_compile(form, str_c(text), &err), -1);
	if (!strstr(err.text, expected) || strchr(err.text, '\n') || strstr(err.text, "Unix shell") ||
	    strstr(err.text, "jq: error"))
		fail_msg("%s: %s", text, err.text);
}

static void broken_programs_are_told_in_one_sentence(void **state)
{
	(void)state;
	assert_refused(EXPR_PROGRAM, "", "'.' stands for the whole event");
	assert_refused(EXPR_PROGRAM, "  # nothing", "empty");
	assert_refused(EXPR_PROGRAM, ".data |", "unexpected the end of the expression");
	assert_refused(EXPR_PROGRAM, "foo(1)", "foo/1 is not defined");
	assert_refused(EXPR_PROGRAM, ".a b", "unexpected IDENT");
	assert_refused(EXPR_PROGRAM, "$x", "$x is not defined");
	assert_refused(EXPR_PROGRAM, ".a\n| nonsense", "nonsense/0 is not defined");
	assert_refused(EXPR_PROGRAM, ".a\n| nonsense", "line 2");
	assert_refused(EXPR_PROGRAM, ".[", "'[' is never closed");
	assert_refused(EXPR_PROGRAM, ".a)", "')' closes nothing");
	assert_refused(EXPR_PROGRAM, "(.a]", "']' closes nothing");
	assert_refused(EXPR_PROGRAM, "\"abc", "does not end");
	assert_refused(EXPR_PROGRAM, "\"\\q\"", "Invalid escape");
	assert_refused(EXPR_PROGRAM, ".a = ", "unexpected the end");
	assert_refused(EXPR_TEXT, "Hi \\(.a", "is not closed");
	assert_refused(EXPR_TEXT, "Hi \\()", "empty");
	assert_refused(EXPR_TEXT, "Hi \\(foo) there", "\\(foo): foo/0 is not defined");
	assert_refused(EXPR_TEXT, "50\\% of", "'\\%' is no escape");
	assert_refused(EXPR_TEXT, "end\\", "is no escape");
	assert_refused(EXPR_TEXT, "\\ud83d x", "surrogate");
	assert_refused(EXPR_TEXT, "\\u12", "four hexadecimal digits");
	assert_refused(EXPR_TEXT, "\\($ENV.HOME)", "switched off");
	char deep[3000];
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	assert_refused(EXPR_PROGRAM, deep, "nested more than");
}

static void failures_are_explained(void **state)
{
	patchbay_delivery d = delivery(data_json);
	const char *got = eval(*state, EXPR_PROGRAM, ".data.name.first", &d, NULL);
	assert_string_equal(got, "!`.data.name.first`: there is no \"first\" in a string");
	got = eval(*state, EXPR_PROGRAM, ".data.name + 1", &d, NULL);
	assert_non_null(strstr(got, "cannot be added"));
	got = eval(*state, EXPR_PROGRAM, "error({a: 1})", &d, NULL);
	assert_non_null(strstr(got, "{\"a\":1}"));
	assert_gives(*state, ".data.dup + 1", "3"); /* and the next one is none the worse */
}

static void many_are_checked_at_once(void **state)
{
	enum { N = 250 };
	static char texts[N][64];
	patchbay_str programs[N];
	struct err *errs = calloc(N, sizeof(*errs));
	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(texts[i], sizeof(texts[i]), ".data.n == %d and .type == \"t%d\" # (", i, i);
		programs[i] = str_c(texts[i]);
	}
	assert_int_equal(expr_check_many(programs, N, errs), 0);
	programs[17] = STR(".a; .b");
	programs[103] = STR("1) | (2");
	programs[104] = STR("input");
	programs[105] = STR(".a; def f: 1");
	assert_int_equal(expr_check_many(programs, N, errs), -1);
	for (int i = 0; i < N; i++)
		assert_int_equal(errs[i].text[0] != 0, i == 17 || (i >= 103 && i <= 105));
	assert_non_null(strstr(errs[104].text, "switched off"));
	free(errs);
}

/* ---- Texts */

static patchbay_str shout(void *ctx, patchbay_call *call, patchbay_str value)
{
	(void)ctx;
	char *out = arena_alloc(&call->arena, value.n + 2);
	out[0] = '<';
	memcpy(out + 1, value.p, value.n);
	out[value.n + 1] = '>';
	return (patchbay_str){ out, value.n + 2 };
}

static void texts_interpolate(void **state)
{
	assert_text(*state, "", "");
	assert_text(*state, "plain", "plain");
	assert_text(*state, "\\(.data.vehicle.number)", "T-101");
	assert_text(*state, "Vehicle \\(.data.vehicle.number), \\(.type)!", "Vehicle T-101, fault_code_opened!");
	assert_text(*state, "null: \\(.data.nil), none: \\(.data.nope // \"\"), empty: \\(empty)|",
		    "null: null, none: , empty: |");
	assert_text(*state, "tab\\t, nl\\n, quote\\\" and \", \\u00e9 \\ud83d\\ude9a, \\\\(not this)",
		    "tab\t, nl\n, quote\" and \", \xc3\xa9 \xf0\x9f\x9a\x9a, \\(not this)");
	assert_text(*state, "\\(.data.vehicle)\\(.data.yes)\\(.data.list[3])",
		    "{\"id\":9007199254740993,\"number\":\"T-101\"}true[3,4]");
	assert_text(*state, "\\(if (.data.dup == 2) then \"a)\" else \"(\" end)", "a)");
	assert_text(*state, "\\(\"in \\(.source + \"\\(1 + (2))\") out\")", "in fleet3 out");
	assert_text(*state, "\\(.data[\"a b\"][\"c.d\"]) \\( .data.list | map(tostring) | join(\")(\") )",
		    "spaced 1)(two)({\"x\":[],\"y\":\"a  b\\\\\"})([3,4]");
	assert_text(*state, "\\(.type # a comment with )\n)", "fault_code_opened");
	patchbay_delivery d = delivery(data_json);
	const char *got = eval(*state, EXPR_TEXT, "x \\(.data.name.first)", &d, NULL);
	assert_string_equal(got, "!`x \\(.data.name.first)`: there is no \"first\" in a string");
}

static void texts_escape_what_is_interpolated_and_nothing_else(void **state)
{
	patchbay_call *call = *state;
	patchbay_delivery d = delivery(data_json);
	struct err err;
	patchbay_value value = { .size = sizeof(value) };
	patchbay_expr *expr = expr_compile(EXPR_TEXT, STR("a<\\(.source)>\\(.data.nil)\\(1 + 1)b\\(empty)"), &err);
	assert_true(expr_service.eval(call, expr, &d, shout, NULL, &value));
	assert_true(str_is(value.text, "a<<fleet>><null><2>b"));
	assert_int_equal(value.type, PATCHBAY_JSON_STRING);
	assert_true(str_is(expr_source(expr), "a<\\(.source)>\\(.data.nil)\\(1 + 1)b\\(empty)"));
	expr_free(expr);
}

static void truth_is_jq_truth(void **state)
{
	static const struct {
		const char *program;
		int expected;
	} table[] = { { "true", 1 },
		      { "false", 0 },
		      { "null", 0 },
		      { "0", 1 },
		      { "\"\"", 1 },
		      { "empty", 0 },
		      { ".id.x?", 0 },
		      { ".data.dup == 2", 1 },
		      { ".data.nope", 0 },
		      { ".id.x", -1 },
		      { ".data.dup | test(\"x\")", -1 },
		      { ".type | test(\"^fault\")", 1 },
		      { "(false, true)", 0 } };
	patchbay_call *call = *state;
	patchbay_delivery d = delivery(data_json);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct err err;
		patchbay_expr *expr = expr_compile(EXPR_PROGRAM, str_c(table[i].program), &err);
		assert_int_equal(expr_true(call, expr, &d), table[i].expected);
		expr_free(expr);
	}
}

static void the_limit_of_the_call_is_kept(void **state)
{
	static char data[200000];
	patchbay_call call;
	(void)state;
	memset(data, 'x', sizeof(data) - 1);
	data[0] = data[sizeof(data) - 2] = '"';
	call_init(&call, 100000);
	call_begin(&call, 0);
	patchbay_delivery d = delivery(data);
	assert_int_equal(eval(&call, EXPR_PROGRAM, ".data | length", &d, NULL)[0], '1');
	struct err err;
	patchbay_value value = { .size = sizeof(value) };
	static const char *const programs[] = { ".data | .", "." };
	for (size_t i = 0; i < 2; i++) {
		patchbay_expr *expr = expr_compile(EXPR_PROGRAM, str_c(programs[i]), &err);
		assert_false(expr_eval(&call, expr, &d, NULL, NULL, &value));
		assert_true(call.why.n > 0);
		expr_free(expr);
	}
	call_fini(&call);
}

/* libjq would read ~/.jq into each program; this one would break them all. */
static char home[] = "/tmp/patchbay-home-XXXXXX", home_jq[64];

static int put_home(void **state)
{
	(void)state;
	if (!mkdtemp(home))
		return -1;
	snprintf(home_jq, sizeof(home_jq), "%s/.jq", home);
	FILE *f = fopen(home_jq, "w");
	if (!f)
		return -1;
	fputs("def broken: (", f);
	return fclose(f) == 0 ? setenv("HOME", home, 1) : -1;
}

static int remove_home(void **state)
{
	(void)state;
	return remove(home_jq) == 0 ? remove(home) : -1;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(selecting_gives_what_libjq_gives),
		T(what_does_more_than_select_is_left_to_libjq),
		T(numbers_come_out_as_they_went_in),
		T(strings_are_decoded_and_null_is_empty),
		T(the_envelope_is_complete),
		T(two_deliveries_in_one_call_are_not_confused),
		T(data_that_is_no_json_is_null),
		T(bytes_that_are_no_utf8_do_no_harm),
		T(deep_data_is_no_danger),
		T(what_is_off_is_refused),
		T(names_that_only_look_like_it_are_let_through),
		T(what_the_scanner_misses_fails_when_run),
		T(broken_programs_are_told_in_one_sentence),
		T(failures_are_explained),
		T(many_are_checked_at_once),
		T(texts_interpolate),
		T(texts_escape_what_is_interpolated_and_nothing_else),
		T(truth_is_jq_truth),
		T(the_limit_of_the_call_is_kept),
		T(threads_share_an_expression),
	};
	return cmocka_run_group_tests(tests, put_home, remove_home);
}
