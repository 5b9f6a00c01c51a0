/* Structs that plugins hand over, shorter and longer than ours: nothing is read or written beyond what they say. Each
 * stands at the end of a page behind which nothing may be touched. */
#include "base/sized.h"

#include "base/call.h"
#include "base/str.h"
#include "expr/expr.h"
#include "net/http_client.h"
#include "source/emission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char *page_end; /* the last byte before the guard, plus one */
static struct patchbay_call call;

static int setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)state;

	if (p == MAP_FAILED || mprotect(p + 2 * page, page, PROT_NONE) != 0)
		return -1;
	page_end = p + 2 * page;
	call_init(&call, 1 << 20);
	call_begin(&call, 0);
	return 0;
}

static int teardown(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	(void)state;

	call_fini(&call);
	return munmap(page_end - 2 * page, 3 * page);
}

/* `size` bytes right before the guard, of which the first `n` are `from`, the rest 0xff; it says that it is that long.
 */
static void *at_the_end(const void *from, size_t n, uint32_t size)
{
	char *p = page_end - size;

	memset(p, 0xff, size);
	memcpy(p, from, n < size ? n : size);
	memcpy(p, &size, sizeof(size));
	return p;
}

static void test_reading_and_writing(void **state)
{
	struct {
		uint32_t size, a, b, c;
	} ours, five = { 16, 5, 5, 5 };
	static const unsigned char none[16];
	(void)state;

	sized_read(&ours, sizeof(ours), at_the_end(&five, sizeof(five), 8));
	assert_int_equal(ours.size, sizeof(ours));
	assert_int_equal(ours.a, 5);
	assert_int_equal(ours.b, 0);
	sized_read(&ours, sizeof(ours), at_the_end(&five, sizeof(five), 32));
	assert_int_equal(ours.size, sizeof(ours));
	assert_int_equal(ours.c, 5);

	uint32_t *theirs = at_the_end(none, 8, 8);
	sized_write(theirs, &five, sizeof(five));
	assert_int_equal(theirs[0], 8);
	assert_int_equal(theirs[1], 5);
	theirs = at_the_end(none, 0, 32);
	sized_write(theirs, &five, sizeof(five));
	assert_int_equal(theirs[0], 32);
	assert_int_equal(theirs[3], 5);
	assert_memory_equal(theirs + 4, none, 16);

	assert_true(sized_has(theirs, 32));
	assert_false(sized_has(theirs, 33));
	theirs[0] = 0xdeadbeef;
	assert_false(sized_has(theirs, 8));
}

/* ---- An event that a source emits */

static struct {
	char type[32], key[32];
	int64_t time_ns;
} taken;

static void take(void *ctx, struct journal_record *record)
{
	(void)ctx;
	snprintf(taken.type, sizeof(taken.type), "%.*s", STR_ARG(record->type));
	snprintf(taken.key, sizeof(taken.key), "%.*s", STR_ARG(record->key));
	taken.time_ns = record->time_ns;
}

static void test_events(void **state)
{
	const patchbay_source side = { .size = sizeof(side) };
	const patchbay_plugin plugin = { .size = sizeof(plugin), .name = "fake", .source = &side };
	char name[] = "source";
	struct config_source source = { .name = name, .plugin = &plugin };
	struct emission emission = { .source = &source, .call = &call, .take = take };
	const patchbay_emitter emitter = emission_emitter(&emission);
	const patchbay_event event = { .type = STR("thing"), .key = STR("k"), .data = STR("{}"), .time_ns = 12 };
	(void)state;

	for (uint32_t longer = 0; longer <= 64; longer += 8) {
		memset(&taken, 0, sizeof(taken));
		assert_int_equal(
			emitter.emit(emitter.ctx, at_the_end(&event, sizeof(event), (uint32_t)sizeof(event) + longer)),
			PATCHBAY_OK);
		assert_string_equal(taken.type, "thing");
		assert_string_equal(taken.key, "k");
		assert_int_equal(taken.time_ns, 12);
	}
	assert_null(emission.fault);
	uint32_t n = emission.n;
	for (uint32_t size = 4; size < SIZED_END(patchbay_event, time_ns); size += 4) {
		emission.fault = NULL;
		assert_int_equal(emitter.emit(emitter.ctx, at_the_end(&event, sizeof(event), size)), PATCHBAY_ENOMEM);
		assert_non_null(strstr(emission.fault, "must set .size"));
	}
	patchbay_event unset = event;
	unset.size = 0xaaaaaaaa;
	assert_int_equal(emitter.emit(emitter.ctx, &unset), PATCHBAY_ENOMEM);
	assert_int_equal(emission.n, n);
}

/* ---- The value of an expression */

static void test_values(void **state)
{
	struct err err;
	patchbay_expr *expr = expr_compile(EXPR_PROGRAM, STR(".data.a"), &err);
	patchbay_delivery full = { .size = sizeof(full), .id = STR("id"), .data = STR("{\"a\":\"b\"}") };
	(void)state;

	assert_non_null(expr);
	for (uint32_t longer = 0; longer <= 64; longer += 8) {
		const patchbay_delivery *d = at_the_end(&full, sizeof(full), (uint32_t)sizeof(full) + longer);
		patchbay_value value = { .size = sizeof(value) };
		assert_true(expr_service.eval(&call, expr, d, NULL, NULL, &value));
		assert_true(str_is(value.text, "b"));

		patchbay_value *out = at_the_end(&value, 0, (uint32_t)sizeof(value) + longer);
		assert_true(expr_service.eval(&call, expr, &full, NULL, NULL, out));
		assert_int_equal(out->size, sizeof(value) + longer);
		assert_int_equal(out->type, PATCHBAY_JSON_STRING);
		assert_true(str_is(out->text, "b"));
		for (uint32_t i = 0; i < longer; i++)
			assert_int_equal(((char *)out)[sizeof(value) + i], 0);
	}
	for (uint32_t size = 4; size < SIZED_END(patchbay_value, text); size += 4)
		assert_false(expr_service.eval(&call, expr, &full, NULL, NULL, at_the_end(&full, 0, size)));
	assert_non_null(strstr(call.why.p, "a struct without .size"));
	patchbay_value value = { .size = sizeof(value) };
	for (uint32_t size = 4; size < SIZED_END(patchbay_delivery, details_error); size += 4)
		assert_false(expr_service.eval(&call, expr, at_the_end(&full, sizeof(full), size), NULL, NULL, &value));
	expr_free(expr);
}

/* ---- HTTP: the URL is refused before anything is sent, which is all that is wanted here */

static void test_requests_and_answers(void **state)
{
	const patchbay_http_options options = { .connect_ms = 100 };
	const patchbay_http_request request = { .method = STR("GET"), .url = STR("ftp://example.org") };
	patchbay_http_answer answer = { .size = sizeof(answer) };
	(void)state;

	for (uint32_t longer = 0; longer <= 64; longer += 8) {
		patchbay_http *http =
			http_service.open(at_the_end(&options, sizeof(options), (uint32_t)sizeof(options) + longer));
		assert_non_null(http);
		const patchbay_http_request *r =
			at_the_end(&request, sizeof(request), (uint32_t)sizeof(request) + longer);
		assert_int_equal(http_service.send(http, &call, r, &answer), PATCHBAY_EBADSINK);
		assert_non_null(strstr(answer.why.p, "does not begin with https://"));
		patchbay_http_request sized = request;
		sized.size = sizeof(sized);
		patchbay_http_answer *a = at_the_end(&answer, 0, (uint32_t)sizeof(answer) + longer);
		assert_int_equal(http_service.send(http, &call, &sized, a), PATCHBAY_EBADSINK);
		assert_int_equal(a->size, sizeof(answer) + longer);
		assert_int_equal(a->status, 0);
		assert_int_equal(a->retry_after_ms, -1);
		assert_non_null(strstr(a->why.p, "does not begin with https://"));
		for (uint32_t i = 0; i < longer; i++)
			assert_int_equal(((char *)a)[sizeof(answer) + i], 0);
		http_service.close(http);
	}
	patchbay_http *http = http_service.open(at_the_end(&options, sizeof(options), 8));
	assert_non_null(http);
	for (uint32_t size = 4; size < SIZED_END(patchbay_http_request, answer_max); size += 4) {
		assert_int_equal(http_service.send(http, &call, at_the_end(&request, sizeof(request), size), &answer),
				 PATCHBAY_EBADSINK);
		assert_true(str_is(answer.why, "its plugin made a request without .size"));
	}
	for (uint32_t size = 4; size < SIZED_END(patchbay_http_answer, why); size += 4)
		assert_int_equal(http_service.send(http, &call, &request, at_the_end(&answer, 0, size)),
				 PATCHBAY_EBADSINK);
	http_service.close(http);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reading_and_writing),
		TEST(test_events),
		TEST(test_values),
		TEST(test_requests_and_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
