#include "base/call.h"

#include "base/clock.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int freed;

static void count_free(void *cache)
{
	assert_ptr_equal(cache, &freed);
	freed++;
}

static void test_a_new_call_has_forgotten_the_last(void **state)
{
	struct patchbay_call call;
	(void)state;

	call_init(&call, 0);
	call_begin(&call, 1000);
	int64_t left = call.deadline_ns - clock_steady_ns();
	assert_true(left > 0 && left <= 1000 * NS_PER_MS);
	call_explain(&call, "%d of %d", 1, 2);
	assert_true(str_is(call.why, "1 of 2"));
	call_explain(&call, "the last wins");
	assert_true(str_is(call.why, "the last wins"));
	freed = 0;
	call.cache = &freed;
	call.cache_free = count_free;
	call_begin(&call, 0);
	assert_int_equal(freed, 1);
	assert_int_equal(call.why.n, 0);
	assert_int_equal(call.deadline_ns, 0);
	assert_int_equal(call.arena.used, 0);
	call_begin(&call, INT64_MAX);
	assert_int_equal(call.deadline_ns, 0); /* too far off to matter */
	call_fini(&call);
	assert_int_equal(freed, 1);
}

static void test_there_is_always_a_sentence(void **state)
{
	struct patchbay_call call;
	char text[5000];
	(void)state;

	call_init(&call, 64);
	call_begin(&call, 0);
	assert_non_null(arena_alloc(&call.arena, 64));
	call_explain(&call, "why");
	assert_true(call.why.n > 10);
	call_fini(&call);

	call_init(&call, 0);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	call_explain(&call, "%s", text);
	assert_int_equal(call.why.n, 1023);
	call_fini(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_call_has_forgotten_the_last),
		cmocka_unit_test(test_there_is_always_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
