#include "base/id.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = INT64_C(1795320834123) * 1000000;

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

static void test_is_a_version_7_uuid_of_its_time(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct id id = id_new(now);
		assert_int_equal(id.b[6] >> 4, 7);
		assert_int_equal(id.b[8] >> 6, 2);
		assert_true(id_time_ms(&id) - now / 1000000 <= 1); /* 4096 of them fit into a millisecond */
		assert_true(id_time_ms(&id) >= now / 1000000);
	}
}

static void test_ids_of_one_moment_are_in_order(void **state)
{
	struct id last = id_new(now + NS_PER_S), next;
	(void)state;

	for (int i = 0; i < 100000; i++) {
		next = id_new(now + NS_PER_S - (i % 3) * 1000); /* small steps back do not count */
		assert_true(by_bytes(&last, &next) < 0);
		last = next;
	}
}

static void test_a_clock_set_back_is_believed(void **state)
{
	(void)state;
	id_new(now + 10 * NS_PER_S);
	struct id id = id_new(now - 3600 * NS_PER_S);
	assert_int_equal(id_time_ms(&id), now / 1000000 - 3600 * 1000);
	id = id_new(-5);
	assert_int_equal(id_time_ms(&id), 0);
}

#define PER_THREAD 20000

static void *make_ids(void *arg)
{
	struct id *ids = arg;

	for (int i = 0; i < PER_THREAD; i++)
		ids[i] = id_new(now);
	return NULL;
}

static void test_threads_never_make_the_same(void **state)
{
	pthread_t threads[4];
	struct id *ids = xcalloc(4 * PER_THREAD, sizeof(*ids));
	(void)state;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * PER_THREAD), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	qsort(ids, 4 * PER_THREAD, sizeof(*ids), by_bytes);
	for (int i = 1; i < 4 * PER_THREAD; i++) {
		/* Neither the stamps nor the random halves repeat. */
		assert_memory_not_equal(ids[i - 1].b, ids[i].b, 8);
		assert_memory_not_equal(ids[i - 1].b + 8, ids[i].b + 8, 8);
	}
	free(ids);
}

static void test_text_and_back(void **state)
{
	char text[ID_TEXT_SIZE];
	struct id id = id_new(now), back;
	(void)state;

	id_format(&id, text);
	assert_int_equal(strlen(text), 36);
	assert_true(id_parse(str_c(text), &back));
	assert_memory_equal(&id, &back, sizeof(id));
	assert_true(id_parse(STR("019AA8F3-7C1B-7ABC-8DEF-0123456789aB"), &back));
	id_format(&back, text);
	assert_string_equal(text, "019aa8f3-7c1b-7abc-8def-0123456789ab");
}

static void test_refuses_what_is_no_uuid(void **state)
{
	static const char *const table[] = {
		"",
		"019aa8f3-7c1b-7abc-8def-0123456789a",
		"019aa8f3-7c1b-7abc-8def-0123456789abc",
		"019aa8f37c1b7abc8def0123456789ab",
		"019aa8f3-7c1b-7abc-8def-0123456789ag",
		"019aa8f3 7c1b-7abc-8def-0123456789ab",
		"019aa8f-37c1b-7abc-8def-0123456789ab",
		"{19aa8f3-7c1b-7abc-8def-0123456789a}",
	};
	struct id id;
	(void)state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_false(id_parse(str_c(table[i]), &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_a_version_7_uuid_of_its_time),
		cmocka_unit_test(test_ids_of_one_moment_are_in_order),
		cmocka_unit_test(test_a_clock_set_back_is_believed),
		cmocka_unit_test(test_threads_never_make_the_same),
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_refuses_what_is_no_uuid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
