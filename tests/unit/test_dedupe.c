/* The table of fingerprints: finding, taking back, and what is forgotten when. */
#include "base/clock.h"
#include "base/mem.h"
#include "journal/dedupe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	*state = dedupe_create();
	return 0;
}

static int teardown(void **state)
{
	dedupe_destroy(*state);
	return 0;
}

struct seen {
	uint64_t at[8], wanted;
	size_t n;
};

static bool see(void *ctx, uint64_t at)
{
	struct seen *s = ctx;
	if (s->n < 8)
		s->at[s->n++] = at;
	return at == s->wanted;
}

static bool has(struct dedupe *d, uint64_t fingerprint, uint64_t at)
{
	return dedupe_find(d, fingerprint, see, &(struct seen){ .wanted = at });
}

static void test_one_fingerprint_may_stand_for_several(void **state)
{
	struct dedupe *d = *state;
	const uint64_t same_slot = UINT64_C(7) << 40; /* another fingerprint that begins its search at the same place */
	dedupe_begin(d, 0);
	dedupe_put(d, 5, 100, 0, 1);
	dedupe_put(d, 5, 200, 0, 1);
	dedupe_put(d, 5 | same_slot, 300, 0, 1);
	dedupe_put(d, UINT64_MAX, 400, 0, 1); /* goes on at the start of the table */
	dedupe_put(d, UINT64_MAX, 500, 0, 1);
	assert_true(has(d, 5, 100));
	assert_true(has(d, 5, 200));
	assert_false(has(d, 5, 300));
	assert_true(has(d, 5 | same_slot, 300));
	assert_true(has(d, UINT64_MAX, 500));
	assert_false(has(d, 6, 100));
	assert_int_equal(dedupe_count(d), 5);
}

static void test_the_latest_replaces_the_one_before(void **state)
{
	struct dedupe *d = *state;
	dedupe_begin(d, 0);
	dedupe_put(d, 5, 100, 0, 1);
	dedupe_put(d, 5, 200, 0, 1);
	dedupe_put(d, 5, 300, 100, 1);
	assert_false(has(d, 5, 100));
	assert_true(has(d, 5, 200));
	assert_true(has(d, 5, 300));
	assert_int_equal(dedupe_count(d), 2);
}

static void test_a_batch_is_taken_back_as_a_whole(void **state)
{
	struct dedupe *d = *state;
	dedupe_begin(d, 0);
	dedupe_put(d, 5, 100, 0, 1);
	dedupe_begin(d, 0);
	dedupe_put(d, 5, 200, 100, 1); /* replaced twice in one batch */
	dedupe_put(d, 5, 300, 200, 1);
	for (uint64_t i = 0; i < 1000; i++)
		dedupe_put(d, 1000 + i, 1000 + i, 0, 1);
	dedupe_roll_back(d);
	assert_int_equal(dedupe_count(d), 1);
	assert_true(has(d, 5, 100));
	assert_false(has(d, 5, 300));
	assert_false(has(d, 1000, 1000));
	assert_false(has(d, 1999, 1999));
	dedupe_roll_back(d); /* there is no more to take back */
	assert_true(has(d, 5, 100));
}

/* Fills the newest generation until the next batch begins another one. */
static void fill(struct dedupe *d, uint64_t *next, int64_t received_ns)
{
	for (uint32_t i = 0; i < DEDUPE_GENERATION - DEDUPE_GENERATION / 16; i++, ++*next)
		dedupe_put(d, *next, *next, 0, received_ns);
}

static void test_what_is_old_is_forgotten_by_the_generation(void **state)
{
	struct dedupe *d = *state;
	uint64_t next = 1;
	dedupe_begin(d, 0);
	fill(d, &next, 10);
	assert_false(dedupe_begin(d, 10)); /* the newest of it is not too old */
	uint64_t second = next;
	dedupe_put(d, next++, second, 0, 20);
	assert_true(has(d, 1, 1));
	assert_false(dedupe_begin(d, 11));
	assert_false(has(d, 1, 1));
	assert_true(has(d, second, second));
	assert_false(dedupe_begin(d, 1000)); /* the one in use stays, however old */
	assert_true(has(d, second, second));
	/* the clock was set back: nothing is forgotten because of that */
	dedupe_put(d, next, next, 0, 5);
	assert_false(dedupe_begin(d, -100));
	assert_true(has(d, next, next));
}

static void test_too_many_within_the_window_are_forgotten_early_and_that_is_said(void **state)
{
	struct dedupe *d = *state;
	uint64_t next = 1, second = 0;
	for (uint32_t i = 0; i < DEDUPE_GENERATIONS; i++) {
		assert_false(dedupe_begin(d, 0));
		if (i == 1)
			second = next;
		fill(d, &next, 10);
	}
	assert_true(has(d, 1, 1));
	assert_true(dedupe_begin(d, 10));
	assert_false(has(d, 1, 1));
	assert_true(has(d, second, second));
	assert_true(has(d, next - 1, next - 1));
	assert_true(dedupe_count(d) < (uint64_t)DEDUPE_GENERATION * DEDUPE_GENERATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_fingerprint_may_stand_for_several, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_latest_replaces_the_one_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_batch_is_taken_back_as_a_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_old_is_forgotten_by_the_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_within_the_window_are_forgotten_early_and_that_is_said,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
