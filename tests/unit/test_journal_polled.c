/* What is polled again and again is known for as long as it is polled, and a change of it is always an event. Time can
 * be moved: --wrap=clock_steady_ns, clock_wall_ns. */
#include "journal_fixture.h"

#include <stdatomic.h>
#include <unistd.h>

#define DAY_NS (86400 * NS_PER_S)

static _Atomic int64_t moved_ns; /* how far the clocks are ahead of the true ones */
static struct err err;

int64_t __real_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void)
{
	return __real_clock_steady_ns() + atomic_load(&moved_ns);
}

int64_t __real_clock_wall_ns(void);
int64_t __wrap_clock_wall_ns(void);
int64_t __wrap_clock_wall_ns(void)
{
	return __real_clock_wall_ns() + atomic_load(&moved_ns);
}

static int setup_now(void **state)
{
	atomic_store(&moved_ns, 0);
	return setup(state);
}

static void pass(struct fixture *f, int64_t ns)
{
	atomic_fetch_add(&moved_ns, ns);
	f->now_ns += ns;
}

/* The daemon is not running meanwhile. */
static void pass_down(struct fixture *f, int64_t ns)
{
	journal_close(f->j);
	pass(f, ns);
	open_journal(f);
}

static struct journal_record item(struct fixture *f, const char *key, const char *data)
{
	struct journal_record r = record(f, key, data);
	r.dedupe = PATCHBAY_DEDUPE_LATEST;
	return r;
}

static enum journal_outcome poll_step(struct fixture *f, const struct journal_record *v, size_t n)
{
	struct journal_ticket t = { .quiet = true, .n = (uint32_t)n };
	for (size_t i = 0; i < n; i++)
		journal_encode(&t.records, &v[i]);
	journal_encode_cursor(&t, "fleet", STR("somewhere"));
	int rc = journal_append_wait(f->j, &t, &err);
	assert_null(t.known);
	buf_free(&t.records);
	return rc == 0 ? t.outcome : JOURNAL_UNAVAILABLE;
}

static enum journal_outcome poll_item(struct fixture *f, const char *key, const char *data)
{
	struct journal_record r = item(f, key, data);
	return poll_step(f, &r, 1);
}

static enum journal_outcome poll_key(struct fixture *f, const char *key)
{
	struct journal_record r = record(f, key, "{}");
	return poll_step(f, &r, 1);
}

/* ---- Time passes */

/* Polled every eight hours, and the daemon is started anew each time, or only now and then. */
static void test_what_is_polled_for_days_is_one_event(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	assert_int_equal(poll_key(f, "2"), JOURNAL_FRESH);
	for (int i = 1; i < 45; i++) {
		pass(f, DAY_NS / 3);
		if (i > 21 || i % 7 == 0)
			reopen(f);
		assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
		assert_int_equal(poll_key(f, "2"), JOURNAL_DUP);
	}
	assert_int_equal(count(f, JOURNAL_EVENT), 2);
	assert_int_equal(count(f, JOURNAL_DUPLICATE), 0);
	struct journal_stats stats;
	journal_stats(f->j, &stats);
	assert_int_equal(stats.appended, 0);
}

static void test_a_daemon_that_was_down_repeats_nothing(void **state)
{
	struct fixture *f = *state;
	enum { N = 600 }; /* more than are noted at a time */
	static char keys[N][16];
	struct journal_record v[N + 1];
	for (int i = 0; i < N; i++) {
		snprintf(keys[i], sizeof keys[i], "%d", i);
		v[i] = i % 2 ? item(f, keys[i], "A") : record(f, keys[i], "A");
	}
	assert_int_equal(poll_step(f, v, N), JOURNAL_FRESH);
	assert_int_equal(count(f, JOURNAL_EVENT), N);
	for (int i = 0; i < 4; i++) { /* also polls that are rarer than dedupe remembers */
		pass_down(f, (i == 3 ? 60 : 3) * DAY_NS);
		assert_int_equal(poll_step(f, v, N), JOURNAL_DUP);
	}
	pass_down(f, 3 * DAY_NS);
	v[N] = item(f, "new", "A");
	v[501] = item(f, keys[501], "B"); /* and what is new is not lost among them */
	assert_int_equal(poll_step(f, v, N + 1), JOURNAL_FRESH);
	struct journal_stats stats;
	journal_stats(f->j, &stats);
	assert_int_equal(stats.appended, 2);
}

static void test_the_original_may_be_pruned(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	assert_int_equal(poll_key(f, "2"), JOURNAL_FRESH);
	uint64_t first = journal_end(f->j).hi;
	char *index = xasprintf("%s/events/%08x.idx", f->path, (unsigned)first);
	fill(f, 2);
	pass(f, 31 * DAY_NS);
	fill(f, 2);
	for (int i = 0; i < 1000 && (journal_start(f->j).hi <= first || access(index, F_OK) == 0); i++)
		usleep(10000); /* the housekeeper comes to it */
	assert_true(journal_start(f->j).hi > first);
	assert_int_equal(access(index, F_OK), -1);
	free(index);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
		assert_int_equal(poll_key(f, "2"), JOURNAL_DUP);
		reopen(f);
	}
	assert_int_equal(poll_item(f, "1", "B"), JOURNAL_FRESH);
}

/* ---- Changes */

static void test_each_change_is_an_event(void **state)
{
	struct fixture *f = *state;
	static const char *const states[] = { "A", "B", "A", "C", "B", "A" };
	for (int down = 0; down < 2; down++)
		for (size_t i = 0; i < 6; i++) {
			if (i > 0 || down)
				assert_int_equal(poll_item(f, "1", states[i]), i ? JOURNAL_FRESH : JOURNAL_DUP);
			else
				assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
			if (down)
				pass_down(f, 3 * DAY_NS);
			else
				pass(f, DAY_NS);
			assert_int_equal(poll_item(f, "1", states[i]), JOURNAL_DUP);
		}
	assert_int_equal(count(f, JOURNAL_EVENT), 11);
}

static void test_changes_within_one_step(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	pass_down(f, 3 * DAY_NS);
	struct journal_record v[] = { item(f, "1", "A"), item(f, "1", "B"), item(f, "1", "A") };
	assert_int_equal(poll_step(f, v, 3), JOURNAL_FRESH);
	assert_int_equal(count(f, JOURNAL_EVENT), 3);
	pass_down(f, 3 * DAY_NS);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
	struct journal_record w[] = { item(f, "1", "C"), item(f, "1", "A") };
	assert_int_equal(poll_step(f, w, 2), JOURNAL_FRESH);
	pass_down(f, 3 * DAY_NS);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
	assert_int_equal(count(f, JOURNAL_EVENT), 5);
}

/* The source's webhook tells of it, too. */
static void test_what_was_posted_meanwhile_counts(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	pass(f, 3 * DAY_NS);
	struct journal_record posted = item(f, "1", "B");
	assert_int_equal(put(f, &posted, NULL), JOURNAL_FRESH);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
}

static void test_details_that_come_late_are_no_change(void **state)
{
	struct fixture *f = *state;
	struct journal_record held = item(f, "1", "A");
	held.flags = JOURNAL_FLAG_HELD;
	assert_int_equal(poll_step(f, &held, 1), JOURNAL_FRESH);
	assert_int_equal(poll_item(f, "1", "B"), JOURNAL_FRESH);
	held.flags = JOURNAL_FLAG_RELEASED | JOURNAL_FLAG_LATE;
	assert_int_equal(poll_step(f, &held, 1), JOURNAL_FRESH);
	pass_down(f, 3 * DAY_NS);
	assert_int_equal(poll_item(f, "1", "B"), JOURNAL_DUP);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
}

/* ---- What goes wrong */

/* The process may end between the two: what it is now is not on record, so what it was must not be either. */
static void test_a_step_that_fails_leaves_nothing_untrue(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	assert_int_equal(poll_item(f, "2", "A"), JOURNAL_FRESH);
	reopen(f); /* it has to look for repeats on the disk now */
	struct rlimit old = use_up_descriptors();
	struct journal_record v[] = { item(f, "1", "B"), item(f, "2", "A") };
	enum journal_outcome outcome = poll_step(f, v, 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(outcome, JOURNAL_UNAVAILABLE);
	assert_non_null(strstr(err.text, "cannot open a segment"));
	pass_down(f, 3 * DAY_NS);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH); /* for all that is known, it was B */
	assert_int_equal(poll_item(f, "2", "A"), JOURNAL_DUP);
}

static void test_nothing_is_taken_when_it_cannot_be_told(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	edit(f, "ALTER TABLE polled RENAME TO elsewhere");
	assert_int_equal(poll_item(f, "1", "B"), JOURNAL_UNAVAILABLE);
	assert_non_null(strstr(err.text, "journal state: cannot read what was polled"));
	assert_int_equal(count(f, JOURNAL_EVENT), 1);
	edit(f, "ALTER TABLE elsewhere RENAME TO polled");
	assert_int_equal(poll_item(f, "1", "B"), JOURNAL_FRESH);
}

/* The disk did not keep its word, or an older copy was put back. */
static void test_what_the_log_lost_comes_again(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	struct journal_pos end = journal_end(f->j);
	char *path = xasprintf("%s/events/%08x.seg", f->path, (unsigned)end.hi);
	assert_int_equal(poll_item(f, "2", "A"), JOURNAL_FRESH);
	pass(f, 11 * DAY_NS);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP); /* seen again, but not there again */
	for (int sinks = 0; sinks < 2; sinks++) {
		struct journal_sink sink;
		if (sinks) /* has seen it all: the log goes on in a new segment */
			assert_int_equal(journal_sink_open(f->j, "s", &sink, &err), 0);
		journal_close(f->j);
		assert_int_equal(truncate(path, (off_t)end.lo), 0);
		pass(f, 3 * DAY_NS);
		open_journal(f);
		assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
		assert_int_equal(poll_item(f, "2", "A"), JOURNAL_FRESH);
	}
	free(path);
}

/* What could not be noted is caught up with as long as dedupe knows it. */
static void test_an_older_journal_learns_what_is_polled(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_FRESH);
	journal_close(f->j);
	edit(f, "DROP TABLE polled; DROP TABLE notes; ALTER TABLE sinks DROP COLUMN died; PRAGMA user_version = 2");
	open_journal(f);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
	pass_down(f, 3 * DAY_NS);
	assert_int_equal(poll_item(f, "1", "A"), JOURNAL_DUP);
}

/* ---- Forgetting */

static int rows(struct fixture *f)
{
	char *path = xasprintf("%s/state.db", f->path);
	sqlite3 *db;
	sqlite3_stmt *q;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM polled", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int n = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	free(path);
	return n;
}

static void test_what_is_not_polled_any_more_is_forgotten(void **state)
{
	struct fixture *f = *state;
	enum { N = 300 }; /* more than are forgotten at a time */
	static char keys[N][16];
	struct journal_record gone[N];
	for (int i = 0; i < N; i++) {
		snprintf(keys[i], sizeof keys[i], "gone %d", i);
		gone[i] = item(f, keys[i], "A");
	}
	assert_int_equal(poll_step(f, gone, N), JOURNAL_FRESH);
	assert_int_equal(poll_item(f, "stays", "A"), JOURNAL_FRESH);
	pass_down(f, 60 * DAY_NS);
	assert_int_equal(poll_item(f, "stays", "A"), JOURNAL_DUP);
	uint64_t first = journal_end(f->j).hi;
	fill(f, 2);
	/* it was down for so long that all of it is old: it is polled first */
	pass_down(f, 101 * DAY_NS);
	for (int i = 0; i < 1000 && journal_start(f->j).hi <= first; i++)
		usleep(10000); /* the housekeeper comes to it */
	assert_true(journal_start(f->j).hi > first);
	assert_int_equal(rows(f), N + 1);
	assert_int_equal(poll_item(f, "stays", "A"), JOURNAL_DUP);
	pass(f, DAY_NS);
	for (int i = 0; i < 1000 && rows(f) != 1; i++)
		usleep(10000);
	assert_int_equal(rows(f), 1);
	pass_down(f, 3 * DAY_NS);
	assert_int_equal(poll_item(f, "stays", "A"), JOURNAL_DUP);
	assert_int_equal(poll_step(f, gone, 1), JOURNAL_FRESH);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_now, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_polled_for_days_is_one_event),
		TEST(test_a_daemon_that_was_down_repeats_nothing),
		TEST(test_the_original_may_be_pruned),
		TEST(test_each_change_is_an_event),
		TEST(test_changes_within_one_step),
		TEST(test_what_was_posted_meanwhile_counts),
		TEST(test_details_that_come_late_are_no_change),
		TEST(test_a_step_that_fails_leaves_nothing_untrue),
		TEST(test_nothing_is_taken_when_it_cannot_be_told),
		TEST(test_what_the_log_lost_comes_again),
		TEST(test_an_older_journal_learns_what_is_polled),
		TEST(test_what_is_not_polled_any_more_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
