/* Held events are released once, with their details or with the reason why there are none. */
#include "source_fake.h"

#include "deliver/delivery.h"
#include "fetch/enricher.h"
#include "guard/internal.h"

static struct enricher *start(struct bench *b)
{
	struct err err = { "" };
	struct enricher *enricher = enricher_start(b->journal, &b->generation, &err);
	if (!enricher)
		fail_msg("%s", err.text);
	return enricher;
}

static struct id put(struct bench *b, const char *source, const char *data, uint8_t flags)
{
	struct journal_ticket ticket = { .n = 1 };
	struct err err = { "" };
	struct journal_record record = { .kind = JOURNAL_EVENT,
					 .flags = flags,
					 .received_ns = clock_wall_ns(),
					 .source = str_c(source),
					 .plugin = STR("fake"),
					 .type = STR("thing"),
					 .kind_name = STR("thing"),
					 .key = str_c(data),
					 .note = STR("the right secret"),
					 .data = str_c(data) };
	record.id = id_new(record.received_ns);
	journal_encode(&ticket.records, &record);
	if (journal_append_wait(b->journal, &ticket, &err) != 0)
		fail_msg("%s", err.text);
	buf_free(&ticket.records);
	return record.id;
}

/* As a sink sees it; false: not released yet. The texts are good until the next call. */
static bool released(struct bench *b, const struct id *id, patchbay_delivery *ret)
{
	static struct arena arena;
	struct journal_reader *reader = journal_reader_open(b->journal);
	struct journal_record record;
	struct err err;
	char id_text[ID_TEXT_SIZE];
	int rc = journal_find_released(reader, id, &record, NULL, &err);
	if (rc == 1) {
		assert_false(record.flags & JOURNAL_FLAG_HELD);
		delivery_from_record(&record, id_text, ret);
		arena_fini(&arena);
		*ret = *delivery_copy(&arena, ret);
	}
	journal_reader_close(reader);
	if (rc == 0)
		arena_fini(&arena);
	return rc == 1;
}

/* Says what it was asked about; "wait" must be asked three times, "dead" has no details, "odd" no JSON. */
static patchbay_status answer(unsigned ask, patchbay_call *call, const patchbay_delivery *event,
			      patchbay_str *ret_details)
{
	(void)ask;
	if (str_starts(event->data, STR("wait")) && event->attempt < 3) {
		fake.host->explain(call, STR("not yet"));
		return PATCHBAY_RETRY;
	}
	if (str_starts(event->data, STR("dead"))) {
		fake.host->explain(call, STR("the API knows nothing about it"));
		return PATCHBAY_EBADEVENT;
	}
	if (str_starts(event->data, STR("silent")))
		return PATCHBAY_OK;
	if (str_starts(event->data, STR("odd"))) {
		*ret_details = STR("{\"a\":");
		return PATCHBAY_OK;
	}
	char *text = fake.host->alloc(call, 64);
	snprintf(text, 64, "{\"about\":\"%.*s\"}", STR_ARG(event->data));
	*ret_details = str_c(text);
	return PATCHBAY_OK;
}

static void details_come_with_the_event(void **state)
{
	struct bench *b = *state;
	patchbay_delivery event;
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	put(b, "yard", "plain", 0);
	struct id id = put(b, "yard", "held", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &id, &event));
	assert_true(str_is(event.details, "{\"about\":\"held\"}"));
	assert_int_equal(event.details_error.n, 0);
	assert_true(str_is(event.data, "held"));
	assert_true(str_is(event.source, "yard"));
	assert_int_equal(atomic_load(&fake.asks), 1);
	enricher_stop(enricher);
	assert_int_equal(atomic_load(&fake.hosts), 0);
	bench_reopen(b);
	enricher = start(b); /* goes on behind it */
	struct id next = put(b, "dock", "next", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &next, &event));
	struct enricher_stats stats;
	UNTIL((enricher_stats(enricher, &stats), stats.with_details == 1));
	assert_int_equal(stats.without, 0);
	enricher_stop(enricher);
	assert_int_equal(atomic_load(&fake.asks), 2);
	assert_int_equal(bench_count(b, JOURNAL_EVENT, JOURNAL_FLAG_RELEASED, NULL), 2);
}

static void an_event_that_waits_does_not_hold_up_others(void **state)
{
	struct bench *b = *state;
	patchbay_delivery event;
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	struct id slow = put(b, "yard", "wait", JOURNAL_FLAG_HELD), quick = put(b, "dock", "quick", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &quick, &event));
	assert_false(released(b, &slow, &event));
	UNTIL(released(b, &slow, &event));
	assert_true(str_is(event.details, "{\"about\":\"wait\"}"));
	enricher_stop(enricher);
	assert_int_equal(atomic_load(&fake.asks), 4);
	assert_int_equal(bench_count(b, JOURNAL_EVENT, JOURNAL_FLAG_RELEASED, NULL), 2);
}

static void what_waited_is_asked_again_after_a_restart(void **state)
{
	struct bench *b = *state;
	patchbay_delivery event;
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	struct id slow = put(b, "yard", "wait", JOURNAL_FLAG_HELD);
	UNTIL(atomic_load(&fake.asks) == 1);
	enricher_stop(enricher);
	bench_reopen(b);
	enricher = start(b);
	UNTIL(released(b, &slow, &event));
	enricher_stop(enricher);
	assert_int_equal(atomic_load(&fake.asks), 3);
}

static void without_details_it_says_why(void **state)
{
	static const struct {
		const char *data, *why;
	} cases[] = {
		{ "dead", "the API knows nothing about it" },
		{ "silent", "no details and no explanation" },
		{ "odd", "byte" }, /* where the JSON is broken */
	};
	struct bench *b = *state;
	patchbay_delivery event;
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	for (size_t i = 0; i < 3; i++) {
		struct id id = put(b, "yard", cases[i].data, JOURNAL_FLAG_HELD);
		UNTIL(released(b, &id, &event));
		assert_int_equal(event.details.n, 0);
		assert_non_null(
			memmem(event.details_error.p, event.details_error.n, cases[i].why, strlen(cases[i].why)));
	}
	enricher_stop(enricher);
}

static void what_nobody_can_be_asked_about_is_released(void **state)
{
	struct bench *b = *state;
	patchbay_delivery event;
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	enricher_stop(enricher);
	struct id id = put(b, "dock", "held", JOURNAL_FLAG_HELD); /* and then the sources go */
	b->config.n_sources = 0;
	enricher = start(b);
	UNTIL(released(b, &id, &event));
	assert_non_null(memmem(event.details_error.p, event.details_error.n, "'dock' is gone", 14));
	enricher_stop(enricher);
	assert_int_equal(atomic_load(&fake.asks), 0);
}

static void a_journal_that_never_held_anything_is_left_alone(void **state)
{
	struct bench *b = *state;
	b->config.n_sources = 0;
	struct enricher *enricher = start(b);
	struct id id = put(b, "dock", "held", JOURNAL_FLAG_HELD);
	patchbay_delivery event;
	enricher_stop(enricher);
	assert_false(released(b, &id, &event));
	enricher_stop(NULL);
}

/* The process ended between releasing it and noting that. */
static void an_event_is_not_released_twice(void **state)
{
	struct bench *b = *state;
	patchbay_delivery event;
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	enricher_stop(enricher);
	struct id id = put(b, "yard", "held", JOURNAL_FLAG_HELD);
	struct journal_reader *reader = journal_reader_open(b->journal);
	struct journal_record record;
	struct journal_ticket ticket = { .n = 1 };
	struct err err;
	assert_int_equal(journal_find(reader, &id, &record, NULL, &err), 1);
	record.flags = JOURNAL_FLAG_RELEASED;
	record.request = STR("{\"before\":1}");
	journal_encode(&ticket.records, &record);
	assert_int_equal(journal_append_wait(b->journal, &ticket, &err), 0);
	journal_reader_close(reader);
	buf_free(&ticket.records);
	enricher = start(b);
	struct id next = put(b, "yard", "next", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &next, &event));
	enricher_stop(enricher);
	assert_true(released(b, &id, &event));
	assert_true(str_is(event.details, "{\"before\":1}"));
	assert_int_equal(bench_count(b, JOURNAL_EVENT, JOURNAL_FLAG_RELEASED, NULL), 2);
	assert_false(released(b, &(struct id){ { 1 } }, &event)); /* frees what the last one kept */
}

static void change(struct enricher *enricher, struct generation *g)
{
	struct config_faults found = { 0 };
	struct faults faults = { .path = "", .list = &found };
	struct err err;
	struct enricher_change *next = enricher_prepare(enricher, g, &faults);
	assert_non_null(next);
	assert_int_equal(enricher_open(enricher, next, &err), 0);
	enricher_commit(enricher, next);
}

static void a_new_configuration_counts_from_the_next_event_on(void **state)
{
	struct bench *b = *state;
	struct fake_options other = { .secret = STR("another") };
	struct config_source changed = b->sources[0];
	const struct config without = { .n_sources = 0 }, with = { .sources = &changed, .n_sources = 1 };
	struct generation none = { .config = &without, .refs = 1 }, one = { .config = &with, .refs = 1 };
	struct enricher_stats stats;
	patchbay_delivery event;
	changed.options = &other;
	fake.enrich = answer;
	struct err err;
	struct enricher *enricher = enricher_start(b->journal, &none, &err);
	assert_non_null(enricher);
	change(enricher, &b->generation); /* its thread begins */
	assert_int_equal(atomic_load(&fake.hosts), 2);
	struct id first = put(b, "dock", "first", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &first, &event));
	assert_true(str_is(event.details, "{\"about\":\"first\"}"));
	change(enricher, &b->generation); /* the same */
	assert_int_equal(atomic_load(&fake.hosts), 2);
	change(enricher, &one);
	change(enricher, &one);
	struct id gone = put(b, "dock", "gone", JOURNAL_FLAG_HELD), here = put(b, "yard", "here", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &gone, &event));
	assert_non_null(memmem(event.details_error.p, event.details_error.n, "'dock' is gone", 14));
	UNTIL(released(b, &here, &event));
	assert_true(str_is(event.details, "{\"about\":\"here\"}"));
	assert_int_equal(atomic_load(&fake.hosts), 1);
	assert_int_equal(atomic_load(&b->generation.refs), 1);
	UNTIL((enricher_stats(enricher, &stats), stats.with_details == 2 && stats.without == 1));
	assert_int_equal(enricher_stop(enricher), 0);
	assert_int_equal(atomic_load(&fake.hosts), 0);
	assert_int_equal(atomic_load(&one.refs), 1);
	assert_false(released(b, &(struct id){ { 1 } }, &event)); /* frees what the last one kept */
}

/* "yard" has crashed too often when it was made; a reload is another chance. */
static void who_was_left_out_is_asked_after_a_reload(void **state)
{
	struct bench *b = *state;
	patchbay_delivery event;
	struct guard_instance *yard = &guard_board->instances[0];
	*yard = (struct guard_instance){ .side = GUARD_SOURCE, .instance = "yard", .why = "it crashed", .used = true };
	atomic_store(&yard->parked_ns, INT64_MAX);
	fake.enrich = answer;
	struct enricher *enricher = start(b);
	struct id before = put(b, "yard", "before", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &before, &event));
	assert_int_equal(event.details.n, 0);
	guard_forgive(NULL);
	change(enricher, &b->generation);
	struct id after = put(b, "yard", "after", JOURNAL_FLAG_HELD);
	UNTIL(released(b, &after, &event));
	assert_true(str_is(event.details, "{\"about\":\"after\"}"));
	assert_int_equal(enricher_stop(enricher), 0);
	assert_int_equal(atomic_load(&fake.hosts), 0);
	assert_false(released(b, &(struct id){ { 1 } }, &event)); /* frees what the last one kept */
}

/* The journal's threads look at the board as long as they run. */
static int guarded_setup(void **state)
{
	struct err err;
	return guard_open(&err) == 0 ? bench_setup(state) : -1;
}

static int guarded_teardown(void **state)
{
	int result = bench_teardown(state);
	guard_board = NULL; /* the other tests have none */
	return result;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(details_come_with_the_event, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(an_event_that_waits_does_not_hold_up_others, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(what_waited_is_asked_again_after_a_restart, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(without_details_it_says_why, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(what_nobody_can_be_asked_about_is_released, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(a_journal_that_never_held_anything_is_left_alone, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(a_new_configuration_counts_from_the_next_event_on, bench_setup,
						bench_teardown),
		cmocka_unit_test_setup_teardown(an_event_is_not_released_twice, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(who_was_left_out_is_asked_after_a_reload, guarded_setup,
						guarded_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
