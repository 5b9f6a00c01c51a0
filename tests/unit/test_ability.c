#include "plugin/ability.h"

#include "base/sized.h"
#include "base/str.h"
#include "plugin/simulate.h"

#include <patchbay/idle.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const void *answer; /* to every id */
static const char *asked;

static const void *extension(const char *id)
{
	asked = id;
	return answer;
}

static patchbay_status idle(void *self, patchbay_call *call, patchbay_str *checkpoint)
{
	(void)self;
	(void)call;
	(void)checkpoint;
	return PATCHBAY_OK;
}

static const patchbay_sink sink = { .size = sizeof(sink), .extension = extension };

static void assert_none(void)
{
	patchbay_idle got = { .size = 77, .every_ms = 77 };
	static const patchbay_idle zero;

	assert_false(ABILITY_GET(&sink, PATCHBAY_IDLE, &got, idle));
	if (got.size == 0)
		assert_memory_equal(&got, &zero, sizeof(zero));
}

static void test_an_ability_is_copied(void **state)
{
	const patchbay_idle theirs = { .size = sizeof(theirs), .every_ms = 5, .idle = idle };
	patchbay_idle got;
	(void)state;

	answer = &theirs;
	assert_true(ABILITY_GET(&sink, PATCHBAY_IDLE, &got, idle));
	assert_string_equal(asked, PATCHBAY_IDLE);
	assert_memory_equal(&got, &theirs, sizeof(got));
}

static void test_a_longer_one_is_cut(void **state)
{
	const struct {
		patchbay_idle now;
		uint64_t more[4];
	} theirs = { { .size = sizeof(theirs), .every_ms = 6, .idle = idle }, { 1, 2, 3, 4 } };
	struct {
		patchbay_idle got;
		uint64_t guard;
	} ours = { .guard = UINT64_C(0x5ca1ab1e) };
	(void)state;

	answer = &theirs;
	assert_true(ABILITY_GET(&sink, PATCHBAY_IDLE, &ours.got, idle));
	assert_int_equal(ours.got.size, sizeof(patchbay_idle)); /* what may be read of it */
	assert_int_equal(ours.got.every_ms, 6);
	assert_ptr_equal(ours.got.idle, idle);
	assert_int_equal(ours.guard, 0x5ca1ab1e);
}

/* A host with a longer struct than the plugin's: the rest reads as zero. */
static void test_what_they_have_not_is_zero(void **state)
{
	const patchbay_idle theirs = { .size = sizeof(theirs), .every_ms = 7, .idle = idle };
	struct {
		patchbay_idle now;
		uint64_t more[4];
	} got;
	static const uint64_t zero[4];
	(void)state;

	answer = &theirs;
	memset(&got, 0xff, sizeof(got));
	assert_true(ability_get(extension, PATCHBAY_IDLE, sizeof(theirs), &got, sizeof(got)));
	assert_int_equal(got.now.size, sizeof(got));
	assert_int_equal(got.now.every_ms, 7);
	assert_memory_equal(got.more, zero, sizeof(zero));
}

static void test_what_is_no_ability(void **state)
{
	patchbay_idle theirs = { .size = sizeof(theirs), .every_ms = 5, .idle = idle };
	static const patchbay_sink none = { .size = sizeof(none) };
	patchbay_idle got;
	(void)state;

	answer = NULL;
	assert_none();
	answer = &theirs;
	for (theirs.size = 0; theirs.size < SIZED_END(patchbay_idle, idle); theirs.size++)
		assert_none();
	theirs.size = UINT32_MAX; /* that was never set */
	assert_none();
	theirs.size = sizeof(theirs);
	theirs.idle = NULL;
	assert_none();
	assert_false(ABILITY_GET(&none, PATCHBAY_IDLE, &got, idle));
}

static patchbay_status body(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	(void)self;
	(void)call;
	(void)i;
	(void)serial;
	*out = STR("{}");
	return PATCHBAY_OK;
}

static patchbay_status sign(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	(void)self;
	(void)call;
	(void)flags;
	(void)try_;
	(void)r;
	return PATCHBAY_OK;
}

static void test_samples_are_stepped_by_the_size_of_the_first(void **state)
{
	struct longer {
		patchbay_sample now;
		uint64_t more[3];
	} samples[] = { { { .size = sizeof(struct longer), .name = "one", .about = "the first" }, { 1, 2, 3 } },
			{ { .size = sizeof(struct longer), .name = "two", .about = "the other" }, { 4, 5, 6 } } };
	patchbay_simulate theirs = {
		.size = sizeof(theirs), .n_samples = 2, .samples = &samples[0].now, .body = body, .sign = sign
	};
	const patchbay_source source = { .size = sizeof(source), .extension = extension };
	const patchbay_plugin plugin = { .size = sizeof(plugin), .source = &source };
	patchbay_simulate got;
	(void)state;

	answer = &theirs;
	assert_true(simulate_get(&plugin, &got));
	assert_string_equal(simulate_sample(&got, 1).name, "two");
	assert_string_equal(simulate_sample(&got, 1).about, "the other");
	assert_int_equal(simulate_sample(&got, 1).size, sizeof(patchbay_sample));
	samples[0].now.size = 8;
	assert_false(simulate_get(&plugin, &got));
	samples[0].now.size = UINT32_MAX;
	assert_false(simulate_get(&plugin, &got));
	samples[0].now.size = sizeof(struct longer);
	theirs.body = NULL;
	assert_false(simulate_get(&plugin, &got));
	theirs.body = body;
	theirs.samples = NULL;
	assert_false(simulate_get(&plugin, &got));
	theirs.n_samples = 0;
	assert_true(simulate_get(&plugin, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_ability_is_copied),
		cmocka_unit_test(test_a_longer_one_is_cut),
		cmocka_unit_test(test_what_they_have_not_is_zero),
		cmocka_unit_test(test_what_is_no_ability),
		cmocka_unit_test(test_samples_are_stepped_by_the_size_of_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
