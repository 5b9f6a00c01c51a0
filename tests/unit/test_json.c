#include "base/json.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct patchbay_call call;

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

static const patchbay_json *parse(const char *text)
{
	return json_parse(&call, str_c(text));
}

static void assert_str(patchbay_str got, const char *want)
{
	if (!str_is(got, want))
		fail_msg("got '%.*s', want '%s'", STR_ARG(got), want);
}

static const patchbay_json *find(const char *text, const char *path)
{
	return json_find(&call, parse(text), path, false);
}

/* What Motive and the LMS document, plus the traps of other parsers. */
static void test_refuses_what_is_not_json(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* a part of the sentence */
	} table[] = {
		{ "", "ends at byte 0" },
		{ "   ", "ends at byte 3" },
		{ "[vehicle_location_updated]", "byte 1 is 'v'" },
		{ "{\"a\":1} x", "byte 8 is 'x', where nothing more" },
		{ "{\"a\":1}{\"b\":2}", "byte 7 is '{'" },
		{ "{\"a\":1,}", "byte 7 is '}'" },
		{ "[1,]", "byte 3 is ']'" },
		{ "[,1]", "byte 1 is ','" },
		{ "[1 2]", "',' or ']'" },
		{ "{\"a\" 1}", "':'" },
		{ "{\"driver_company_id\", \"1223\"}", "byte 20 is ','" },
		{ "{\"a\":1 // comment\n}", "byte 7 is '/'" },
		{ "{a:1}", "double quotes" },
		{ "{'a':1}", "double quotes" },
		{ "{\"a\":}", "a value" },
		{ "{\"a\"", "ends at byte 4" },
		{ "{", "ends at byte 1" },
		{ "[", "ends at byte 1" },
		{ "]", "byte 0 is ']'" },
		{ "[}", "byte 1 is '}'" },
		{ "{]", "byte 1 is ']'" },
		{ "{\"a\":1]", "byte 6 is ']'" },
		{ "\"abc", "the end of a string" },
		{ "\"abc\\", "ends at byte 5" },
		{ "\"abc\\\"", "the end of a string" },
		{ "\"a\nb\"", "byte 2 is 0x0a" },
		{ "\"a\tb\"", "control character" },
		{ "\"abcdefgh\x1f\"", "0x1f" },
		{ "\"\\x41\"", "backslash" },
		{ "\"\\u12\"", "four hexadecimal digits" },
		{ "\"\\u12g4\"", "four hexadecimal digits" },
		{ "\"\\u123", "four hexadecimal digits" },
		{ "\"\\ud800\"", "surrogate" },
		{ "\"\\udc00\"", "surrogate" },
		{ "\"\\ud800\\u0041\"", "surrogate" },
		{ "\"\\ud800\\ud800\"", "surrogate" },
		{ "\"\\ud83d\\ude0", "surrogate" },
		{ "\"\\ud83dxxxxxxx\"", "surrogate" },
		{ "\"\xff\"", "UTF-8" },
		{ "\"\x80\"", "UTF-8" },
		{ "\"\xc3\"", "UTF-8" },
		{ "\"\xc0\x80\"", "UTF-8" },         /* overlong NUL */
		{ "\"\xe0\x80\x80\"", "UTF-8" },     /* overlong */
		{ "\"\xed\xa0\x80\"", "UTF-8" },     /* a surrogate in UTF-8 */
		{ "\"\xf4\x90\x80\x80\"", "UTF-8" }, /* above U+10FFFF */
		{ "\"\xf0\x9f\x98\"", "UTF-8" },
		{ "\xef\xbb\xbf{}", "byte order mark" },
		{ "\xff\xfe", "byte 0 is 0xff" },
		{ "01", "byte 1 is '1'" },
		{ "-", "a digit" },
		{ "+1", "byte 0 is '+'" },
		{ ".5", "byte 0 is '.'" },
		{ "1.", "a digit" },
		{ "1.e5", "a digit" },
		{ "1e", "a digit" },
		{ "1e+", "a digit" },
		{ "-a", "a digit" },
		{ "0x10", "byte 1 is 'x'" },
		{ "NaN", "a value" },
		{ "Infinity", "a value" },
		{ "tru", "ends at byte 3" },
		{ "True", "a value" },
		{ "nul1", "byte 3 is '1'" },
		{ "nil", "byte 1 is 'i'" },
		{ "falsey", "byte 5 is 'y'" },
		{ "\f1", "0x0c" },
		{ "1\v", "0x0b" },
		{ "\xc2\xa0"
		  "1",
		  "0xc2" }, /* a no-break space is no JSON space */
		{ "\"smart\"\xe2\x80\x9d", "nothing more" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		call_begin(&call, 0);
		if (parse(table[i].text))
			fail_msg("accepted: %s", table[i].text);
		assert_true(str_starts(call.why, STR("not JSON: ")));
		if (!memmem(call.why.p, call.why.n, table[i].why, strlen(table[i].why)))
			fail_msg("%s: '%.*s' lacks '%s'", table[i].text, STR_ARG(call.why), table[i].why);
	}
}

static void test_refuses_nul_bytes_wherever_they_stand(void **state)
{
	(void)state;
	assert_null(json_parse(&call, STR("{\"a\":1}\0")));
	assert_null(json_parse(&call, STR("\0{}")));
	assert_null(json_parse(&call, STR("\"a\0b\"")));
	assert_null(json_parse(&call, STR("[1,\0]")));
	assert_null(json_parse(&call, STR("\"\\\0\"")));
	assert_null(json_parse(&call, (patchbay_str){ NULL, 0 }));
}

static void test_accepts_every_kind_of_value(void **state)
{
	(void)state;
	assert_int_equal(json_type(parse("null")), PATCHBAY_JSON_NULL);
	assert_int_equal(json_type(parse(" false ")), PATCHBAY_JSON_FALSE);
	assert_int_equal(json_type(parse("\ttrue\r\n")), PATCHBAY_JSON_TRUE);
	assert_int_equal(json_type(parse("-0.5E-7")), PATCHBAY_JSON_NUMBER);
	assert_int_equal(json_type(parse("\"\"")), PATCHBAY_JSON_STRING);
	assert_int_equal(json_type(parse("[ ]")), PATCHBAY_JSON_ARRAY);
	assert_int_equal(json_type(parse("{ }")), PATCHBAY_JSON_OBJECT);
	assert_int_equal(json_type(NULL), 0);
	assert_str(json_raw(parse("  [ 1 , 2 ]  ")), "[ 1 , 2 ]");
	assert_str(json_raw(NULL), "");
}

static void test_depth_is_limited_to_128(void **state)
{
	char text[4001];
	(void)state;

	memset(text, '[', 128);
	memset(text + 128, ']', 128);
	assert_non_null(json_parse(&call, (patchbay_str){ text, 256 }));
	memset(text, '[', 129);
	memset(text + 129, ']', 129);
	assert_null(json_parse(&call, (patchbay_str){ text, 258 }));
	assert_non_null(memmem(call.why.p, call.why.n, "byte 128: more than 128 levels", 30));
	memset(text, '[', 4000);
	assert_null(json_parse(&call, (patchbay_str){ text, 4000 }));
	for (size_t i = 0; i + 5 <= 4000; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	assert_null(json_parse(&call, (patchbay_str){ text, 4000 }));
}

static void test_numbers_stay_what_they_are_in_the_text(void **state)
{
	static const char *const numbers[] = { "1744302113019687286",
					       "12345678901234567890",
					       "1e400",
					       "15.715800000000002",
					       "-0",
					       "0",
					       "-1.50E+0010",
					       "0.1e-400" };
	(void)state;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char text[80];
		call_begin(&call, 0);
		snprintf(text, sizeof(text), "{\"x\":%s,\"y\":[%s]}", numbers[i], numbers[i]);
		const patchbay_json *root = parse(text);
		assert_str(json_raw(json_get(&call, root, STR("x"))), numbers[i]);
		assert_str(json_text(&call, json_find(&call, root, "y.0", false)), numbers[i]);
	}
}

static void test_strings_are_decoded(void **state)
{
	(void)state;
	assert_str(json_text(&call, parse("\"plain\"")), "plain");
	assert_str(json_raw(parse("\"pl\\u0061in\"")), "\"pl\\u0061in\"");
	assert_str(json_text(&call, parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")), "\"\\/\b\f\n\r\t");
	assert_str(json_text(&call, parse("\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"")),
		   "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_str(json_text(&call, parse("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"")),
		   "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
	patchbay_str nul = json_text(&call, parse("\"x\\u0000y\""));
	assert_true(str_eq(nul, STR("x\0y")));
	assert_str(json_text(&call, parse("true")), "true");
	assert_str(json_text(&call, parse("null")), "");
	assert_str(json_text(&call, parse("[1]")), "");
	assert_str(json_text(&call, parse("{}")), "");
	assert_str(json_text(&call, NULL), "");
}

static void test_special_bytes_are_seen_at_every_offset(void **state)
{
	static const char *const bad[] = { "\"", "\\", "\x01", "\x80", "\xff" };
	(void)state;

	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		for (size_t i = 0; i < 40; i++) {
			char text[48] = "\"";
			memset(text + 1, 'a' + (int)(i % 20), 40);
			strcpy(text + 41, "\"");
			text[1 + i] = *bad[k];
			if (*bad[k] == '\\')
				text[2 + i] = 'q';
			call_begin(&call, 0);
			assert_null(json_parse(&call, (patchbay_str){ text, 42 }));
		}
	}
}

static void test_get_finds_members_of_the_root_and_below(void **state)
{
	(void)state;
	const patchbay_json *root =
		parse("{ \"a\" : 1, \"b\":{\"c\":[true,{\"d\":\"x\"}],\"\":7}, \"ab\":\"}]\\\"\" , \"e\":[] }");
	assert_int_equal(json_count(root), 4);
	assert_str(json_raw(json_get(&call, root, STR("a"))), "1");
	assert_str(json_text(&call, json_get(&call, root, STR("ab"))), "}]\"");
	assert_null(json_get(&call, root, STR("A")));
	assert_null(json_get(&call, root, STR("abc")));
	assert_null(json_get(&call, root, STR("")));
	const patchbay_json *b = json_get(&call, root, STR("b"));
	assert_int_equal(json_count(b), 2);
	assert_str(json_raw(json_get(&call, b, STR(""))), "7");
	const patchbay_json *c = json_get(&call, b, STR("c"));
	assert_int_equal(json_count(c), 2);
	assert_str(json_raw(json_at(&call, c, 0)), "true");
	assert_str(json_raw(json_get(&call, json_at(&call, c, 1), STR("d"))), "\"x\"");
	assert_null(json_at(&call, c, 2));
	assert_null(json_at(&call, b, 0));
	assert_null(json_get(&call, c, STR("d")));
	assert_null(json_at(&call, json_get(&call, root, STR("e")), 0));
	assert_int_equal(json_count(json_get(&call, root, STR("e"))), 0);
	assert_int_equal(json_count(json_get(&call, root, STR("a"))), 0);
	assert_null(json_get(&call, NULL, STR("a")));
	assert_null(json_at(&call, NULL, 0));
	assert_int_equal(json_count(NULL), 0);
}

static void test_the_last_of_duplicate_members_counts(void **state)
{
	(void)state;
	const char *text = "{\"a\":1,\"b\":{\"c\":1,\"c\":2,\"\\u0063\":3},\"\\u0061\":2,\"A\":4}";
	const patchbay_json *root = parse(text);
	assert_str(json_raw(json_get(&call, root, STR("a"))), "2");
	assert_str(json_raw(json_find(&call, root, "b.c", false)), "3");
	assert_str(json_raw(json_find(&call, root, "a", true)), "4");
}

static void test_keys_with_escapes_compare_decoded(void **state)
{
	(void)state;
	const patchbay_json *root =
		parse("{\"\\u00e9t\\u00e9\":1,\"a\\\"b\":{\"x\\/y\":2},\"n\\u0000l\":3,\"\\ud83d\\ude00\":4}");
	assert_str(json_raw(json_get(&call, root, STR("\xc3\xa9t\xc3\xa9"))), "1");
	assert_str(json_raw(json_get(&call, root, STR("n\0l"))), "3");
	assert_null(json_get(&call, root, STR("n")));
	assert_str(json_raw(json_get(&call, root, STR("\xf0\x9f\x98\x80"))), "4");
	assert_null(json_get(&call, root, STR("\xf0\x9f\x98")));
	assert_str(json_raw(json_find(&call, root, "a\"b.x/y", false)), "2");
	assert_null(json_get(&call, root, STR("a\\\"b")));
	assert_null(json_get(&call, root, STR("a\"bc")));
}

static void test_find_takes_the_first_alternative_that_is_there_and_not_null(void **state)
{
	const char *text = "{\"vehicle_id\":null,\"vehicle\":{\"ID\":12,\"name\":\"\"},\"stops\":[{\"id\":5},[7,8]],"
			   "\"0\":\"zero\"}";
	(void)state;

	assert_str(json_raw(find(text, "vehicle_id|vehicle.id|stops.0.id")), "5");
	assert_str(json_raw(json_find(&call, parse(text), "VEHICLE_ID|Vehicle.id|stops.0.id", true)), "12");
	assert_str(json_raw(find(text, "stops.1.1")), "8");
	assert_str(json_raw(find(text, "vehicle.name")), "\"\"");
	assert_str(json_raw(find(text, "0")), "\"zero\"");
	assert_null(find(text, "vehicle_id"));
	assert_null(find(text, "stops.2"));
	assert_null(find(text, "stops.-1"));
	assert_null(find(text, "stops.x"));
	assert_null(find(text, "stops.4294967296"));
	assert_null(find(text, "stops."));
	assert_null(find(text, "vehicle.ID.x"));
	assert_null(find(text, ""));
	assert_null(find(text, "|"));
	assert_null(json_find(&call, NULL, "a", false));
	assert_null(json_find(&call, parse(text), NULL, false));
	assert_str(json_raw(find("[[1,2],[3,4]]", "1.0")), "3");
	assert_null(find("12", "a"));
}

static void test_objects_too_large_for_the_index_are_searched_all_the_same(void **state)
{
	struct buf text = { 0 };
	(void)state;

	buf_addf(&text, "{\"first\":0");
	for (int i = 0; i < 3000; i++)
		buf_addf(&text, ",\"m%d\":{\"v\":%d}", i, i);
	buf_addf(&text, ",\"last\":1,\"m7\":\"again\"}");
	const patchbay_json *root = json_parse(&call, buf_str(&text));
	assert_non_null(root);
	assert_int_equal(json_count(root), 3003);
	assert_str(json_raw(json_get(&call, root, STR("first"))), "0");
	assert_str(json_raw(json_get(&call, root, STR("last"))), "1");
	assert_str(json_raw(json_find(&call, root, "m2999.v", false)), "2999");
	assert_str(json_raw(json_get(&call, root, STR("m7"))), "\"again\"");
	buf_free(&text);
}

static void test_arrays_can_be_walked_in_any_order(void **state)
{
	struct buf text = { 0 };
	uint32_t order[] = { 0, 1, 2, 2, 500, 499, 3, 999, 0, 1000, 998, 1 };
	(void)state;

	buf_addf(&text, "{\"v\":[");
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "%s{\"i\" : %d}", i ? " , " : " ", i);
	buf_addf(&text, " ]}");
	const patchbay_json *v = json_get(&call, json_parse(&call, buf_str(&text)), STR("v"));
	assert_int_equal(json_count(v), 1000);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		char want[32];
		snprintf(want, sizeof(want), "{\"i\" : %u}", order[i]);
		assert_str(json_raw(json_at(&call, v, order[i])), order[i] < 1000 ? want : "");
	}
	buf_free(&text);
}

static void test_the_same_text_is_parsed_once_in_a_call(void **state)
{
	const char *text = "{\"a\":1}";
	(void)state;

	const patchbay_json *first = parse(text);
	assert_ptr_equal(parse(text), first);
	assert_ptr_not_equal(json_parse(&call, (patchbay_str){ text + 5, 1 }), first);
	assert_ptr_equal(parse(text), first);
	call_begin(&call, 0);
	assert_non_null(parse(text));
}

static void test_running_out_of_memory_is_no_crash(void **state)
{
	const char *text = "{\"a\":\"\\u0041\",\"b\":[1,2],\"c\":{\"d\":3}}";
	(void)state;

	for (size_t limit = 16; limit < 1400; limit += 16) {
		struct patchbay_call small;
		call_init(&small, limit);
		call_begin(&small, 0);
		const patchbay_json *root = json_parse(&small, str_c(text));
		if (root) {
			json_text(&small, json_get(&small, root, STR("a")));
			const patchbay_json *b = json_get(&small, root, STR("b"));
			const patchbay_json *last = b ? json_at(&small, b, 1) : NULL;
			if (last)
				assert_str(json_raw(last), "2");
			else
				assert_true(small.why.n > 0);
			json_find(&small, root, "c.d", true);
		} else {
			assert_true(small.why.n > 0);
		}
		call_fini(&small);
	}
}

/* The text ends where mapped memory ends: reading one byte too many is a crash. */
struct guarded {
	char *map, *end;
	size_t size;
};

static struct guarded guarded_new(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n + page - 1) / page * page;
	struct guarded g = { .size = room + page };

	g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(g.map, MAP_FAILED);
	g.end = g.map + room;
	assert_int_equal(mprotect(g.end, page, PROT_NONE), 0);
	return g;
}

/* fault_code_opened, with an escape, UTF-8 and a deep corner added. */
static const char sample[] =
	"{\"action\":\"fault_code_opened\",\"trigger\":\"created\",\"id\":1744302113019687286,\"vehicle_id\":12,"
	"\"first_observed_at\":\"2023-02-23T01:02:03Z\",\"source_address_label\":\"Engine #1\",\"status\":\"open\","
	"\"code\":\"J1939\",\"occurrence_count\":-1,\"lat\":15.715800000000002,\"d\":{\"x\":[[],[{}],[{\"y\":null}]],"
	"\"t\":[true,false]},\"note\":\"caf\\u00e9 \\ud83d\\ude00 \xf0\x9f\x98\x80 \\\"q\\\"\",\"e\":1e-7}";

static void test_truncation_at_every_length_is_refused_without_reading_on(void **state)
{
	size_t n = sizeof(sample) - 1;
	struct guarded g = guarded_new(n);
	(void)state;

	for (size_t i = 0; i <= n; i++) {
		patchbay_str text = { g.end - i, i };
		memcpy(g.end - i, sample, i);
		call_begin(&call, 0);
		const patchbay_json *root = json_parse(&call, text);
		if (i < n && root)
			fail_msg("accepted the first %zu bytes", i);
		if (i == n) {
			assert_non_null(root);
			assert_str(json_raw(json_get(&call, root, STR("id"))), "1744302113019687286");
			assert_str(json_raw(json_find(&call, root, "d.x.2.0.y|d.t.1", false)), "false");
			assert_str(json_text(&call, json_get(&call, root, STR("note"))),
				   "caf\xc3\xa9 \xf0\x9f\x98\x80 \xf0\x9f\x98\x80 \"q\"");
			assert_str(json_raw(json_get(&call, root, STR("e"))), "1e-7");
		}
	}
	munmap(g.map, g.size);
}

static void test_any_one_byte_changed_is_no_crash(void **state)
{
	size_t n = sizeof(sample) - 1;
	struct guarded g = guarded_new(n);
	static const unsigned char bytes[] = { 0,   0x1f, '"', '\\', '{',  '}',  '[', ']',
					       ',', ':',  '0', 'e',  0x80, 0xed, 0xff };
	(void)state;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++) {
			memcpy(g.end - n, sample, n);
			g.end[i - n] = (char)bytes[k];
			call_begin(&call, 0);
			const patchbay_json *root = json_parse(&call, (patchbay_str){ g.end - n, n });
			json_text(&call, json_find(&call, root, "note|d.x.2.0.y|d.t.1|zz", true));
			json_count(json_find(&call, root, "d.x", false));
		}
	}
	munmap(g.map, g.size);
}

static void test_scalars_at_the_end_of_memory(void **state)
{
	static const char *const texts[] = { "1", "12.5e3", "true", "null", "\"a\"", "[]", "{}", "[1]", "{\"a\":1}" };
	struct guarded g = guarded_new(16);
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]);
		memcpy(g.end - n, texts[i], n);
		call_begin(&call, 0);
		const patchbay_json *root = json_parse(&call, (patchbay_str){ g.end - n, n });
		assert_str(json_raw(root), texts[i]);
		json_text(&call, root);
		json_count(root);
		json_at(&call, root, 0);
		json_at(&call, root, 1);
		json_get(&call, root, STR("a"));
	}
	munmap(g.map, g.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refuses_what_is_not_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_nul_bytes_wherever_they_stand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accepts_every_kind_of_value, setup, teardown),
		cmocka_unit_test_setup_teardown(test_depth_is_limited_to_128, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_stay_what_they_are_in_the_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strings_are_decoded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_special_bytes_are_seen_at_every_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_get_finds_members_of_the_root_and_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_last_of_duplicate_members_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_with_escapes_compare_decoded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_takes_the_first_alternative_that_is_there_and_not_null, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_objects_too_large_for_the_index_are_searched_all_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_arrays_can_be_walked_in_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_same_text_is_parsed_once_in_a_call, setup, teardown),
		cmocka_unit_test_setup_teardown(test_running_out_of_memory_is_no_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncation_at_every_length_is_refused_without_reading_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_any_one_byte_changed_is_no_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scalars_at_the_end_of_memory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
