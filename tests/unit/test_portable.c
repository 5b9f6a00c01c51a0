/* A line of an export gives back exactly the record that it was made of, whatever its bytes are. */
#include "journal/portable.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static patchbay_call call;

static int setup(void **state)
{
	(void)state;
	call_init(&call, 64u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	call_fini(&call);
	return 0;
}

static void same(patchbay_str a, patchbay_str b)
{
	assert_int_equal(a.n, b.n);
	if (a.n)
		assert_memory_equal(a.p, b.p, a.n);
}

static void goes_round(const struct journal_record *r)
{
	struct buf line = { 0 };
	struct journal_record back;
	struct err err = { "" };
	portable_encode(&line, r);
	buf_addf(&line, "}");
	assert_null(memchr(line.p, '\n', line.n));
	if (portable_decode(&call, buf_str(&line), &back, &err) != 0)
		fail_msg("%s: %s", err.text, buf_cstr(&line));
	assert_memory_equal(&back.id, &r->id, sizeof r->id);
	assert_memory_equal(&back.original, &r->original, sizeof r->original);
	assert_int_equal(back.kind, r->kind);
	assert_int_equal(back.dedupe, r->dedupe);
	assert_int_equal(back.flags, r->flags);
	assert_true(back.received_ns == r->received_ns);
	assert_true(back.time_ns == r->time_ns);
	same(back.source, r->source);
	same(back.plugin, r->plugin);
	same(back.type, r->type);
	same(back.kind_name, r->kind_name);
	same(back.subject, r->subject);
	same(back.key, r->key);
	same(back.token, r->token);
	same(back.client, r->client);
	same(back.note, r->note);
	same(back.request, r->request);
	same(back.data, r->data);
	buf_free(&line);
}

static struct journal_record some(void)
{
	return (struct journal_record){ .id = id_new(clock_wall_ns()),
					.kind = JOURNAL_EVENT,
					.received_ns = INT64_C(1767225600123456789),
					.source = STR("fleet"),
					.data = STR("{}") };
}

static void test_every_byte(void **state)
{
	(void)state;
	char bytes[256];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	for (size_t from = 0; from < sizeof bytes; from += 3)
		for (size_t n = 0; n <= sizeof bytes - from; n += 5) {
			struct journal_record r = some();
			r.data = (patchbay_str){ bytes + from, n };
			r.subject = (patchbay_str){ bytes + from, n / 2 };
			r.request = (patchbay_str){ bytes, n };
			goes_round(&r);
		}
}

static void test_texts_that_json_is_touchy_about(void **state)
{
	(void)state;
	static const char *const texts[] = { "\"",           "\\",           "\\u0000",          "\x7f",
					     "\xc2\x85",     "\xe2\x80\xa8", "\xf0\x9f\x9a\x9a", "\xed\xa0\x80",
					     "\xef\xbb\xbf", "\xef\xbf\xbf", "\xc0\x80",         "{\"base64\":\"\"}" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct journal_record r = some();
		r.data = r.key = r.note = r.source = r.type = r.token = r.client = r.plugin = r.kind_name =
			str_c(texts[i]);
		goes_round(&r);
	}
}

static void test_numbers_at_their_ends(void **state)
{
	(void)state;
	static const int64_t times[] = { 1, 999999999, -1, INT64_C(-5000000001), INT64_C(4102444800000000001), 0 };
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct journal_record r = some();
		r.received_ns = r.time_ns = times[i];
		goes_round(&r);
	}
	for (unsigned flags = 0; flags < 64; flags++)
		for (uint8_t kind = JOURNAL_EVENT; kind <= JOURNAL_ANSWER; kind++)
			for (uint8_t dedupe = 0; dedupe <= PATCHBAY_DEDUPE_NONE; dedupe++) {
				struct journal_record r = some();
				r.kind = kind;
				r.dedupe = dedupe;
				r.flags = (uint8_t)flags;
				if (kind == JOURNAL_ANSWER || kind == JOURNAL_DUPLICATE)
					r.original = id_new(clock_wall_ns());
				goes_round(&r);
			}
}

static void test_what_is_refused(void **state)
{
	(void)state;
#define GOOD                                                                                                           \
	"{\"record\":\"event\",\"id\":\"01a22868-09ff-7843-a85e-ccf84176e58b\",\"received\":\"2026-11-29T17:43:56Z\"," \
	"\"dedupe\":\"key\",\"source\":\"s\""
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "", "is no JSON object" },
		{ "[]", "is no JSON object" },
		{ GOOD, "is no JSON object" },
		{ GOOD ",\"data\":7}", "'data' is a string" },
		{ GOOD ",\"data\":{\"base64\":\"QQ\"}}", "'data' is a string" },
		{ GOOD ",\"data\":{\"base64\":\"Q=Q=\"}}", "'data' is a string" },
		{ GOOD ",\"flags\":[\"new\"]}", "'flags' has one" },
		{ GOOD ",\"time\":\"yesterday\"}", "'time' is a time" },
		{ "{\"record\":\"event\",\"id\":\"00000000-0000-0000-0000-000000000000\"}",
		  "'id' is the id of an event" },
	};
	struct journal_record r;
	struct err err;
	assert_int_equal(portable_decode(&call, str_c(GOOD ",\"unknown\":[1]}"), &r, &err), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(portable_decode(&call, str_c(bad[i].line), &r, &err), -1);
		assert_non_null(strstr(err.text, bad[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts_that_json_is_touchy_about, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_at_their_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
