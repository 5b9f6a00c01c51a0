/* What reaches a terminal: readable, and harmless. */
#include "cli/text.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_clean(patchbay_str in, const char *expected)
{
	struct buf out = { 0 };
	text_add_clean(&out, in);
	assert_string_equal(buf_cstr(&out), expected);
	buf_free(&out);
}

static void control_characters_never_pass(void **state)
{
	(void)state;
	assert_clean(STR("plain text, \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\x9A"),
		     "plain text, \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\x9A");
	assert_clean(STR("a\x1b[31mred\r\n\t\x7f\0b"), "a?[31mred????"
						       "?b");
	assert_clean(STR("\xC2\x9B"
			 "31m"),
		     "??31m"); /* CSI as one character of Unicode */
	assert_clean(STR("\xE2\x80\xAE"
			 "fdp.exe"),
		     "???fdp.exe");                                /* right-to-left override */
	assert_clean(STR("\xE2\x80\xA8|\xE2\x81\xA6"), "???|???"); /* line separator, isolate */
	assert_clean(STR("\xE2\x80\xA6"), "\xE2\x80\xA6");         /* an ellipsis is fine */
	assert_clean(STR("\xff\xC3(\xE2\x82"), "?"
					       "?(?"
					       "?");                            /* not UTF-8, cut off */
	assert_clean(STR("\xED\xA0\x80\xC0\x80\xF4\x90\x80\x80"), "?????????"); /* surrogate, overlong, too large */
}

static char *printed(void (*print)(FILE *, patchbay_str), patchbay_str s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	assert_non_null(f);
	print(f, s);
	fclose(f);
	return text;
}

static void print_json(FILE *f, patchbay_str s)
{
	text_print_json(f, s, 2);
}

static void print_column(FILE *f, patchbay_str s)
{
	text_print_column(f, s, 6);
}

static void json_is_laid_out_with_its_numbers_as_they_are(void **state)
{
	(void)state;
	char *text = printed(print_json,
			     STR("{\"id\":1744302113019687286 ,\n\"a\":[1.50,{}, [ ],{\"b\\\"{\":null}],\"e\":\"\"}"));
	assert_string_equal(text, "  {\n"
				  "    \"id\": 1744302113019687286,\n"
				  "    \"a\": [\n"
				  "      1.50,\n"
				  "      {},\n"
				  "      [],\n"
				  "      {\n"
				  "        \"b\\\"{\": null\n"
				  "      }\n"
				  "    ],\n"
				  "    \"e\": \"\"\n"
				  "  }\n");
	free(text);
}

static void what_is_no_json_is_printed_as_it_is(void **state)
{
	(void)state;
	assert_false(text_is_json(STR("{\"a\":")));
	assert_true(text_is_json(STR(" [1] ")));
	char *text = printed(print_json, STR("}}]{\"a\":\x1b"));
	assert_string_equal(text, "  }}]{\"a\":?\n");
	free(text);
}

static void columns_count_characters(void **state)
{
	(void)state;
	char *text = printed(print_column, STR("\xC3\xA9t\xC3\xA9"));
	assert_string_equal(text, "\xC3\xA9t\xC3\xA9    ");
	free(text);
	text = printed(print_column, STR("too long"));
	assert_string_equal(text, "too long ");
	free(text);
}

static void times_have_milliseconds(void **state)
{
	(void)state;
	char out[TEXT_TIME_SIZE];
	assert_string_equal(text_time(INT64_C(1700000000) * NS_PER_S, out), "2023-11-14T22:13:20.000Z");
	assert_string_equal(text_time(INT64_C(1700000000) * NS_PER_S + 45 * NS_PER_MS + 999, out),
			    "2023-11-14T22:13:20.045Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_never_pass),
		cmocka_unit_test(json_is_laid_out_with_its_numbers_as_they_are),
		cmocka_unit_test(what_is_no_json_is_printed_as_it_is),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(times_have_milliseconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
