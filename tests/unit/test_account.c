/* How large a journal is, by part, source and sink, and what of it may go. */
#include "journal_fixture.h"

#include "journal/account.h"

#define DAY_NS (INT64_C(86400) * NS_PER_S)

static struct account account_of(struct fixture *f)
{
	struct account a;
	struct err err = { "" };
	if (account_journal(f->path, &a, &err) != 0)
		fail_msg("%s", err.text);
	return a;
}

static void put_days_ago(struct fixture *f, const char *source, int days, const char *data)
{
	static int number;
	char key[32];
	snprintf(key, sizeof key, "%d", number++);
	struct journal_record r = record(f, key, data);
	r.source = str_c(source);
	r.received_ns = clock_wall_ns() - days * DAY_NS;
	assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
}

static const struct account_source *source(const struct account *a, const char *name)
{
	for (size_t i = 0; i < a->n_sources; i++)
		if (strcmp(a->sources[i].name, name) == 0)
			return &a->sources[i];
	fail_msg("no source %s", name);
	return NULL;
}

static void test_by_source_and_time(void **state)
{
	struct fixture *f = *state;
	for (int days = 20; days > 0; days -= 2)
		put_days_ago(f, days % 4 ? "one" : "other", days, "{\"some\":\"data\"}");
	put_days_ago(f, "other", 1, "{\"more\":\"data, which is longer than that of the others\"}");
	struct journal_record r = record(f, "", "forged");
	r.kind = JOURNAL_REFUSED;
	r.dedupe = PATCHBAY_DEDUPE_NONE;
	put(f, &r, NULL);
	struct account a = account_of(f);
	assert_int_equal(a.events, 11);
	assert_int_equal(source(&a, "one")->records, 5);
	assert_int_equal(source(&a, "other")->records, 6);
	assert_string_equal(a.sources[0].name, "other"); /* the largest */
	assert_int_equal(source(&a, "fleet")->quarantine_records, 1);
	uint64_t records = source(&a, "one")->bytes + source(&a, "other")->bytes;
	assert_int_equal(a.events_bytes, records + a.segments * 64);
	assert_int_equal(a.quarantine_bytes, source(&a, "fleet")->quarantine_bytes + 64);
	assert_true((a.now_ns - a.oldest_ns) / DAY_NS == 20);
	assert_true((a.now_ns - a.newest_ns) / DAY_NS == 1);
	uint64_t small = source(&a, "one")->bytes / 5; /* of 6, 4 and 2 days ago, and the long one */
	assert_in_range(a.week_bytes, 4 * small, 4 * small + 100);
	assert_true(a.state_bytes > 0);
	account_free(&a);
}

static void open_sink(struct fixture *f, const char *name)
{
	struct journal_sink sink;
	struct err err;
	assert_int_equal(journal_sink_open(f->j, name, &sink, &err), 0);
	free((void *)(uintptr_t)sink.checkpoint.p);
}

static void test_who_holds_it_up(void **state)
{
	struct fixture *f = *state;
	struct err err;
	open_sink(f, "dead");
	fill(f, 3);
	open_sink(f, "slow");
	fill(f, 1);
	open_sink(f, "quick");
	struct account a = account_of(f);
	assert_int_equal(a.n_sinks, 3);
	assert_string_equal(a.sinks[0].name, "dead");
	assert_string_equal(a.sinks[1].name, "slow");
	assert_string_equal(a.sinks[2].name, "quick");
	assert_int_equal(a.sinks[2].bytes, 0);
	assert_true(a.sinks[2].received_ns == 0);
	assert_true(a.sinks[0].bytes > a.sinks[1].bytes && a.sinks[1].bytes > 0);
	assert_true(a.sinks[0].received_ns > 0);
	assert_int_equal(a.finished_bytes, 0);
	account_free(&a);
	/* taken out of the configuration: what only it waited for may go, and does */
	static const char *const kept[] = { "slow", "quick" };
	assert_int_equal(journal_sinks_keep(f->j, kept, 2, &err), 0);
	a = account_of(f);
	assert_string_equal(a.sinks[2].name, "dead");
	assert_false(a.sinks[2].kept);
	assert_true(a.finished_bytes > 2 * 4096);
	struct journal_prune_order order = { .older_than_ms = INT64_MIN, .down_to_bytes = 0 };
	struct journal_pruned done;
	assert_int_equal(journal_prune(f->j, &order, &done, &err), 0);
	assert_int_equal(done.bytes, a.finished_bytes);
	assert_true(done.held);
	account_free(&a);
	a = account_of(f);
	assert_int_equal(a.finished_bytes, 0);
	assert_int_equal(a.events_bytes, done.left_bytes);
	account_free(&a);
}

static void test_prune_by_age(void **state)
{
	struct fixture *f = *state;
	struct journal_pruned done;
	struct err err;
	for (int i = 0; i < 60; i++)
		put_days_ago(f, "one", 0, "{}");
	struct journal_prune_order order = { .older_than_ms = clock_wall_ns() / NS_PER_MS - 60000,
					     .down_to_bytes = UINT64_MAX };
	assert_int_equal(journal_prune(f->j, &order, &done, &err), 0);
	assert_int_equal(done.segments, 0);
	order.older_than_ms = clock_wall_ns() / NS_PER_MS + 60000;
	order.dry_run = true;
	uint64_t start = journal_start(f->j).hi, end = journal_end(f->j).hi;
	assert_int_equal(journal_prune(f->j, &order, &done, &err), 0);
	assert_int_equal(done.segments, end - start); /* not the newest */
	assert_int_equal(journal_start(f->j).hi, start);
	order.dry_run = false;
	assert_int_equal(journal_prune(f->j, &order, &done, &err), 0);
	assert_int_equal(journal_start(f->j).hi, end);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_source_and_time),
		TEST(test_who_holds_it_up),
		TEST(test_prune_by_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
