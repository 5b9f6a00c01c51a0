/* Polling: what a step brings and how far it came are durable together, or not at all. */
#include "source_fake.h"

#include "fetch/backoff.h"
#include "fetch/poller.h"

#include <stdlib.h>

static struct poller *start(struct bench *b)
{
	struct err err = { "" };
	struct poller *poller = poller_start(b->journal, &b->generation, &err);
	if (!poller)
		fail_msg("%s", err.text);
	return poller;
}

static patchbay_status emit(const patchbay_emitter *emitter, unsigned number)
{
	char key[32], data[32];
	snprintf(key, sizeof key, "item %u", number);
	snprintf(data, sizeof data, "{\"n\":%u}", number);
	const patchbay_event event = {
		.size = sizeof event, .type = STR("item"), .key = str_c(key), .data = str_c(data)
	};
	return emitter->emit(emitter->ctx, &event);
}

/* Pages of three; the cursor is the number of the next item, as text. */
#define ITEMS 30u
static char cursors[64][16];

static patchbay_status pages(unsigned step, patchbay_call *call, patchbay_str cursor, const patchbay_emitter *emitter,
			     patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	char *next = fake.host->alloc(call, 16);
	char text[16];
	snprintf(text, sizeof text, "%.*s", STR_ARG(cursor));
	unsigned at = (unsigned)strtoul(text, NULL, 10);
	if (step < 64)
		memcpy(cursors[step], text, sizeof text);
	if (at >= ITEMS) {
		*ret_again_ms = 3600000;
		return PATCHBAY_OK;
	}
	for (unsigned i = at; i < at + 3; i++)
		assert_int_equal(emit(emitter, i), PATCHBAY_OK);
	snprintf(next, 16, "%u", at + 3);
	*ret_cursor = str_c(next);
	return PATCHBAY_OK;
}

static size_t stats_of(struct poller *poller, struct poller_stats *ret, size_t max)
{
	size_t n;
	struct poller_stats *v = poller_stats(poller, &n);
	for (size_t i = 0; i < n && i < max; i++)
		ret[i] = v[i];
	free(v);
	return n;
}

static void every_item_comes_once_and_the_cursor_with_it(void **state)
{
	struct bench *b = *state;
	struct buf cursor = { 0 };
	fake.poll = pages;
	b->config.n_sources = 1;
	struct poller *poller = start(b);
	UNTIL(atomic_load(&fake.steps) == ITEMS / 3 + 1);
	int64_t began_ns = clock_steady_ns();
	struct poller_stats stats = { 0 };
	UNTIL(stats_of(poller, &stats, 1) == 1 && stats.steps == ITEMS / 3 + 1);
	assert_string_equal(stats.source, "yard");
	assert_int_equal(stats.events, ITEMS);
	assert_int_equal(stats.failures, 0);
	assert_int_equal(poller_stop(poller), 0);
	assert_true(clock_steady_ns() - began_ns < 5 * NS_PER_S); /* though the next step is an hour away */
	assert_string_equal(cursors[1], "");
	assert_string_equal(cursors[2], "3");
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), ITEMS);
	bench_reopen(b);
	journal_source_cursor(b->journal, "yard", &cursor);
	assert_string_equal(buf_cstr(&cursor), "30");
	buf_free(&cursor);
	poller = start(b);
	UNTIL(atomic_load(&fake.steps) == ITEMS / 3 + 2);
	poller_stop(poller);
	assert_string_equal(cursors[ITEMS / 3 + 2], "30");
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), ITEMS);
	assert_int_equal(atomic_load(&fake.hosts), 0);
}

static patchbay_status overlapping(unsigned step, patchbay_call *call, patchbay_str cursor,
				   const patchbay_emitter *emitter, patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	(void)call, (void)cursor, (void)ret_cursor;
	for (unsigned i = 0; i < step && i < 5; i++)
		assert_int_equal(emit(emitter, i), PATCHBAY_OK);
	*ret_again_ms = step < 6 ? 0 : 3600000;
	return PATCHBAY_OK;
}

static void what_is_known_is_dropped_without_a_trace(void **state)
{
	struct bench *b = *state;
	fake.poll = overlapping;
	b->config.n_sources = 1;
	struct poller *poller = start(b);
	UNTIL(atomic_load(&fake.steps) == 6);
	poller_stop(poller);
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), 5);
	assert_int_equal(bench_count(b, JOURNAL_DUPLICATE, 0, NULL), 0);
}

/* What is wrong with each step; then it works. */
static patchbay_status trouble(unsigned step, patchbay_call *call, patchbay_str cursor, const patchbay_emitter *emitter,
			       patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	static char long_cursor[65537];
	const patchbay_event nameless = { .size = sizeof nameless, .data = STR("{}") };
	assert_int_equal(cursor.n, 0);
	assert_int_equal(emit(emitter, step), PATCHBAY_OK);
	*ret_again_ms = 3600000;
	*ret_cursor = STR("far");
	switch (step) {
	case 1:
		fake.host->explain(call, STR("the other side is away"));
		*ret_again_ms = -5;
		return PATCHBAY_DOWN;
	case 2:
		memset(long_cursor, 'x', sizeof long_cursor);
		*ret_cursor = (patchbay_str){ long_cursor, sizeof long_cursor };
		*ret_again_ms = 0;
		return PATCHBAY_OK;
	case 3:
		assert_int_equal(emitter->emit(emitter->ctx, &nameless), PATCHBAY_ENOMEM);
		*ret_again_ms = 0;
		return PATCHBAY_OK;
	default:
		return PATCHBAY_OK;
	}
}

static void a_step_that_fails_leaves_nothing_and_is_repeated(void **state)
{
	struct bench *b = *state;
	struct poller_stats stats = { 0 };
	struct buf cursor = { 0 };
	char last[64];
	fake.poll = trouble;
	b->config.n_sources = 1;
	struct poller *poller = start(b);
	UNTIL(stats_of(poller, &stats, 1) == 1 && stats.failures == 1);
	assert_string_equal(stats.reason, "the other side is away");
	assert_true(stats.trouble_since_ms > 0);
	UNTIL(stats_of(poller, &stats, 1) == 1 && stats.failures == 2);
	assert_non_null(strstr(stats.reason, "cursor has 65537 bytes"));
	UNTIL(stats_of(poller, &stats, 1) == 1 && stats.steps == 1);
	UNTIL(stats_of(poller, &stats, 1) == 1 && stats.trouble_since_ms == 0);
	assert_int_equal(stats.failures, 3);
	assert_non_null(strstr(stats.reason, "type is empty"));
	poller_stop(poller);
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, last), 1);
	assert_string_equal(last, "{\"n\":4}");
	journal_source_cursor(b->journal, "yard", &cursor);
	assert_string_equal(buf_cstr(&cursor), "far");
	buf_free(&cursor);
}

static patchbay_status five_at_once(unsigned step, patchbay_call *call, patchbay_str cursor,
				    const patchbay_emitter *emitter, patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	(void)step, (void)call, (void)cursor, (void)ret_cursor;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(emit(emitter, i), PATCHBAY_OK);
	*ret_again_ms = 3600000;
	return PATCHBAY_OK;
}

static void sources_have_cursors_and_threads_of_their_own(void **state)
{
	struct bench *b = *state;
	fake.poll = five_at_once;
	struct poller *poller = start(b);
	struct poller_stats stats[2];
	assert_int_equal(stats_of(poller, stats, 2), 2);
	UNTIL(stats_of(poller, stats, 2) == 2 && stats[0].steps == 1 && stats[1].steps == 1);
	poller_stop(poller);
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), 10); /* a key is one source's own */
}

static void nobody_polls_what_does_not_want_it(void **state)
{
	struct bench *b = *state;
	fake.unwanted = true;
	struct poller *poller = start(b);
	assert_int_equal(stats_of(poller, NULL, 0), 0);
	assert_int_equal(atomic_load(&fake.hosts), 0);
	poller_stop(poller);
	poller_stop(NULL);
}

static void back_off_grows_to_its_longest(void **state)
{
	(void)state;
	static const int64_t wanted[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
	for (uint32_t i = 0; i < 6; i++)
		for (unsigned k = 0; k < 100; k++) {
			int64_t ms = backoff_ms(i + 1, 1000, 10000);
			assert_in_range(ms, wanted[i] / 2, wanted[i]);
		}
	assert_in_range(backoff_ms(UINT32_MAX, 1000, 300000), 150000, 300000);
}

/* Until it is told to go on, with its cursor. */
static atomic_bool goes_on;
static atomic_uint inside, most_inside;

static patchbay_status waits(unsigned step, patchbay_call *call, patchbay_str cursor, const patchbay_emitter *emitter,
			     patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	unsigned now = atomic_fetch_add(&inside, 1) + 1;
	if (now > atomic_load(&most_inside))
		atomic_store(&most_inside, now);
	while (!atomic_load(&goes_on))
		usleep(1000);
	atomic_fetch_sub(&inside, 1);
	return pages(step, call, cursor, emitter, ret_cursor, ret_again_ms);
}

static struct poller_change *prepare(struct poller *poller, struct generation *g)
{
	struct config_faults found = { 0 };
	struct faults faults = { .path = "", .list = &found };
	struct poller_change *change = poller_prepare(poller, g, &faults);
	assert_non_null(change);
	return change;
}

static void a_changed_source_goes_on_where_the_step_of_the_old_one_ends(void **state)
{
	struct bench *b = *state;
	struct fake_options other = { .secret = STR("another") };
	struct config_source changed = b->sources[0];
	const struct config with = { .sources = &changed, .n_sources = 1 }, without = { .n_sources = 0 };
	struct generation second = { .config = &with, .refs = 1 }, third = { .config = &without, .refs = 1 };
	struct poller_stats stats = { 0 };
	changed.options = &other;
	atomic_store(&goes_on, false);
	atomic_store(&most_inside, 0);
	fake.poll = waits;
	b->config.n_sources = 1;
	struct poller *poller = start(b);
	UNTIL(atomic_load(&inside) == 1);
	poller_abandon(prepare(poller, &second));               /* leaves no trace */
	poller_commit(poller, prepare(poller, &b->generation)); /* the same */
	assert_int_equal(atomic_load(&fake.hosts), 1);
	poller_commit(poller, prepare(poller, &second));
	assert_int_equal(atomic_load(&fake.hosts), 2);
	assert_true(poller_tidy(poller));
	atomic_store(&goes_on, true);
	UNTIL(!poller_tidy(poller));
	UNTIL(atomic_load(&fake.steps) == ITEMS / 3 + 1);
	UNTIL(stats_of(poller, &stats, 1) == 1 && stats.events == ITEMS - 3);
	assert_int_equal(atomic_load(&most_inside), 1);
	assert_string_equal(cursors[2], "3"); /* what the old one brought is kept */
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), ITEMS);
	poller_commit(poller, prepare(poller, &third));
	UNTIL(!poller_tidy(poller));
	assert_int_equal(stats_of(poller, &stats, 1), 0);
	assert_int_equal(atomic_load(&fake.hosts), 0);
	assert_int_equal(atomic_load(&second.refs), 1);
	assert_int_equal(poller_stop(poller), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_item_comes_once_and_the_cursor_with_it, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(what_is_known_is_dropped_without_a_trace, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_nothing_and_is_repeated, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(sources_have_cursors_and_threads_of_their_own, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(nobody_polls_what_does_not_want_it, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(a_changed_source_goes_on_where_the_step_of_the_old_one_ends,
						bench_setup, bench_teardown),
		cmocka_unit_test(back_off_grows_to_its_longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
