/* patchbay/sugar.h: what takes the header of a signature apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <patchbay/sugar.h>

static void what_follows_a_prefix_is_the_rest(void **state)
{
	patchbay_str rest = PATCHBAY_S("as it was");
	(void)state;

	assert_true(patchbay_after(PATCHBAY_S("sha256=ab"), "sha256=", &rest));
	assert_true(patchbay_eq(rest, PATCHBAY_S("ab")));
	assert_true(patchbay_after(PATCHBAY_S("sha256="), "sha256=", &rest));
	assert_int_equal(rest.n, 0);
	rest = PATCHBAY_S("as it was");
	assert_false(patchbay_after(PATCHBAY_S("sha1=ab"), "sha256=", &rest));
	assert_false(patchbay_after(PATCHBAY_S("sha256"), "sha256=", &rest));
	assert_false(patchbay_after((patchbay_str){ NULL, 0 }, "sha256=", &rest)); /* as patchbay_header() gives */
	assert_true(patchbay_eq(rest, PATCHBAY_S("as it was")));
}

static void assert_parts(const char *list, const char *prefix, const char *const *wanted)
{
	patchbay_str part;
	size_t at = 0, n = 0;

	while (patchbay_part(patchbay_cstr(list), ',', prefix, &at, &part)) {
		assert_non_null(wanted[n]);
		assert_true(patchbay_eq(part, patchbay_cstr(wanted[n++])));
	}
	assert_null(wanted[n]);
	assert_false(patchbay_part(patchbay_cstr(list), ',', prefix, &at, &part)); /* and it stays at the end */
}

static void parts_of_a_list_come_in_their_order(void **state)
{
	(void)state;
	assert_parts("t=1,v1=ab,v0=x,v1=cd", "v1=", (const char *[]){ "ab", "cd", NULL });
	assert_parts("t=1,v1=ab,v0=x,v1=cd", "t=", (const char *[]){ "1", NULL });
	assert_parts("v1=", "v1=", (const char *[]){ "", NULL });
	assert_parts(",,v1=a,", "v1=", (const char *[]){ "a", NULL });
	assert_parts("xv1=a", "v1=", (const char *[]){ NULL });
	assert_parts("a,,b", "", (const char *[]){ "a", "", "b", NULL });
	assert_parts("", "v1=", (const char *[]){ NULL });
	assert_parts(NULL, "v1=", (const char *[]){ NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_a_prefix_is_the_rest),
		cmocka_unit_test(parts_of_a_list_come_in_their_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
