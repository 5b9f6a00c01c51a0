#include "base/arena.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_memory_is_zeroed_and_aligned(void **state)
{
	struct arena arena = { 0 };
	(void)state;

	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 3000; n += 7) {
			unsigned char *p = arena_alloc(&arena, n);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xaa, n);
		}
		arena_reset(&arena);
		assert_int_equal(arena.used, 0);
	}
	arena_fini(&arena);
}

static void test_pieces_do_not_overlap(void **state)
{
	struct arena arena = { 0 };
	static const size_t sizes[] = { 1, 100, 5000, 20000, 300000, 16, 70000, 3 };
	unsigned char *pieces[8];
	(void)state;

	for (size_t i = 0; i < 8; i++) {
		pieces[i] = arena_alloc(&arena, sizes[i]);
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < 8; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(pieces[i][k], i + 1);
	arena_fini(&arena);
	assert_null(arena.blocks);
	arena_fini(&arena);
}

static void test_the_limit_holds_and_a_reset_lifts_it(void **state)
{
	struct arena arena = { .limit = 1024 };
	(void)state;

	assert_non_null(arena_alloc(&arena, 1000));
	assert_null(arena_alloc(&arena, 32));
	assert_non_null(arena_alloc(&arena, 16));
	assert_null(arena_alloc(&arena, 1));
	assert_null(arena_copy(&arena, STR("x")).p);
	arena_reset(&arena);
	assert_non_null(arena_alloc(&arena, 1024));
	arena_reset(&arena);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 16));
	assert_null(arena_alloc(&arena, SIZE_MAX / 2));
	assert_null(arena_copy(&arena, (patchbay_str){ "", SIZE_MAX }).p);
	assert_non_null(arena_alloc(&arena, 8));
	arena_fini(&arena);
}

static void test_copies_are_terminated(void **state)
{
	struct arena arena = { 0 };
	char text[] = "abc";
	(void)state;

	patchbay_str copy = arena_copy(&arena, (patchbay_str){ text, 2 });
	text[0] = 'x';
	assert_int_equal(copy.n, 2);
	assert_string_equal(copy.p, "ab");
	copy = arena_copy(&arena, (patchbay_str){ NULL, 0 });
	assert_string_equal(copy.p, "");
	arena_fini(&arena);
}

static void test_a_large_first_piece_is_given_back_on_reset(void **state)
{
	struct arena arena = { 0 };
	(void)state;

	arena_alloc(&arena, 4 << 20);
	arena_reset(&arena);
	assert_null(arena.blocks);
	arena_alloc(&arena, 100);
	arena_reset(&arena);
	assert_non_null(arena.blocks);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_the_limit_holds_and_a_reset_lifts_it),
		cmocka_unit_test(test_copies_are_terminated),
		cmocka_unit_test(test_a_large_first_piece_is_given_back_on_reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
