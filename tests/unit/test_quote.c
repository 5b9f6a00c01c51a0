/* patchbay/quote.h: whatever the bytes are, what comes out is JSON, and says the same. */
#include "base/json.h"
#include "source_harness.h"

#include <patchbay/quote.h>

static patchbay_host host = { .size = sizeof(patchbay_host), .explain = fake_explain, .alloc = fake_alloc };
static patchbay_call call;

static int setup(void **state)
{
	(void)state;
	call_init(&call, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	call_fini(&call);
	return 0;
}

/* What the host's JSON reader makes of it. */
static patchbay_str read_back(patchbay_str text)
{
	patchbay_str quoted = patchbay_json_quote(&host, &call, text);
	const patchbay_json *value = json_service.parse(&call, quoted);

	if (json_service.type(value) != PATCHBAY_JSON_STRING)
		fail_msg("no JSON string: %.*s: %.*s", STR_ARG(quoted), STR_ARG(call.why));
	return json_service.text(&call, value);
}

static void texts_come_back_as_they_were(void **state)
{
	static const char *const texts[] = { "", "plain", "\" \\ / \b\f\n\r\t \x01 \x1f \x7f",
					     "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
					     "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_str(read_back(str_c(texts[i])), texts[i]);
	assert_true(str_eq(read_back((patchbay_str){ "a\0b", 3 }), (patchbay_str){ "a\0b", 3 }));
}

static void bytes_that_are_no_character_are_replaced_one_by_one(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
#define R PATCHBAY_NOT_UTF8
		{ "\x80", R },
		{ "a\xff"
		  "b",
		  "a" R "b" },
		{ "\xc0\x80", R R }, /* overlong */
		{ "\xc1\xbf", R R },
		{ "\xe0\x9f\xbf", R R R },
		{ "\xf0\x8f\xbf\xbf", R R R R },
		{ "\xed\xa0\x80", R R R },       /* a surrogate */
		{ "\xf4\x90\x80\x80", R R R R }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", R R R R },
		{ "\xe2\x82", R R }, /* cut */
		{ "\xe2\x82\"", R R "\"" },
		{ "\xf0\x9f\x98", R R R },
		{ "\xc3", R },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_str(read_back(str_c(cases[i].text)), cases[i].wanted);
}

/* The host's reader takes no byte that is not UTF-8, so that both agree on what is. */
static void any_three_bytes_become_json(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1u << 24; i += i % 7 + 61) {
		const char text[] = { (char)(i >> 16), (char)(i >> 8), (char)i };
		call_begin(&call, 0);
		patchbay_str once = read_back((patchbay_str){ text, 3 });
		assert_true(str_eq(read_back(once), once));
	}
}

static void without_memory_there_is_nothing(void **state)
{
	patchbay_call small;

	(void)state;
	call_init(&small, 16);
	assert_int_equal(patchbay_json_quote(&host, &small, STR("far too long")).n, 0);
	call_fini(&small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(texts_come_back_as_they_were),
		TEST(bytes_that_are_no_character_are_replaced_one_by_one),
		TEST(any_three_bytes_become_json),
		TEST(without_memory_there_is_nothing),
	};
	return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
