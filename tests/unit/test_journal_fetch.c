/* What fetching asks of the journal: waiting for a commit, cursors of sources, events that are held and released, keys
 * of any age. */
#include "journal_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;

/* Appends the records, and the cursor unless NULL, as one step of a poll. */
static enum journal_outcome poll_step(struct fixture *f, const char *source, const struct journal_record *v, size_t n,
				      const char *cursor)
{
	struct journal_ticket t = { .quiet = true, .n = (uint32_t)n };
	for (size_t i = 0; i < n; i++)
		journal_encode(&t.records, &v[i]);
	if (cursor)
		journal_encode_cursor(&t, source, str_c(cursor));
	int rc = journal_append_wait(f->j, &t, &err);
	buf_free(&t.records);
	return rc == 0 ? t.outcome : JOURNAL_UNAVAILABLE;
}

static void assert_cursor(struct fixture *f, const char *source, const char *want)
{
	struct buf got = { 0 };
	journal_source_cursor(f->j, source, &got);
	assert_string_equal(buf_cstr(&got), want);
	buf_free(&got);
}

static char *newest(const struct fixture *f)
{
	char *path = xasprintf("%s/events/%08x.seg", f->path, (unsigned)journal_end(f->j).hi);
	return path;
}

static void test_waiting_tells_what_became_of_it(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "a", "{}"), again = record(f, "a", "{}");
	struct journal_ticket t = { .n = 1 };
	journal_encode(&t.records, &r);
	assert_int_equal(journal_append_wait(f->j, &t, &err), 0);
	assert_int_equal(t.outcome, JOURNAL_FRESH);
	assert_memory_equal(&t.id, &r.id, sizeof r.id);
	t.records.n = 0;
	journal_encode(&t.records, &again);
	assert_int_equal(journal_append_wait(f->j, &t, &err), 0);
	assert_int_equal(t.outcome, JOURNAL_DUP);
	assert_memory_equal(&t.id, &r.id, sizeof r.id);
	buf_free(&t.records);
	assert_null(f->back); /* nobody else sees it */
	assert_int_equal(count(f, JOURNAL_EVENT), 1);
	assert_int_equal(count(f, JOURNAL_DUPLICATE), 1);
}

static void test_waiting_ends_when_the_journal_is_in_trouble(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "a", "{}");
	put(f, &r, NULL);
	reopen(f); /* it has to look for repeats on the disk now */
	struct rlimit old = use_up_descriptors();
	enum journal_outcome outcome = poll_step(f, "fleet", &r, 1, "1");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(outcome, JOURNAL_UNAVAILABLE);
	assert_non_null(strstr(err.text, "cannot open a segment"));
	assert_cursor(f, "fleet", ""); /* the step did not happen */
	for (int i = 0; i < 500 && outcome == JOURNAL_UNAVAILABLE; i++) {
		usleep(10000);
		outcome = poll_step(f, "campus", &r, 1, "c1");
	}
	assert_int_equal(outcome, JOURNAL_DUP);
	assert_cursor(f, "fleet", "");
	assert_cursor(f, "campus", "c1");
}

static void test_polled_repeats_leave_no_trace(void **state)
{
	struct fixture *f = *state;
	struct journal_record v[] = { record(f, "1", "{}"), record(f, "2", "{}"), record(f, "1", "{}") };
	assert_int_equal(poll_step(f, "fleet", v, 3, "after 2"), JOURNAL_FRESH);
	assert_int_equal(poll_step(f, "fleet", v, 3, "after 2 again"), JOURNAL_DUP);
	struct journal_record next[] = { record(f, "2", "{}"), record(f, "3", "{}") };
	assert_int_equal(poll_step(f, "fleet", next, 2, NULL), JOURNAL_FRESH);
	assert_int_equal(poll_step(f, "fleet", NULL, 0, "nothing new"), JOURNAL_FRESH);
	assert_int_equal(count(f, JOURNAL_EVENT), 3);
	assert_int_equal(count(f, JOURNAL_DUPLICATE), 0);
	assert_int_equal(count(f, JOURNAL_MALFORMED), 0);
	assert_cursor(f, "fleet", "nothing new");
	struct journal_stats stats;
	journal_stats(f->j, &stats);
	assert_int_equal(stats.appended, 3);
	assert_int_equal(stats.malformed, 0);
}

static void test_cursors_survive_restarts_and_pruning(void **state)
{
	struct fixture *f = *state;
	assert_cursor(f, "fleet", "");
	poll_step(f, "fleet", NULL, 0, "f1");
	poll_step(f, "campus", NULL, 0, "c1");
	assert_cursor(f, "fleet", "f1");
	poll_step(f, "fleet", NULL, 0, "f2");
	reopen(f);
	assert_cursor(f, "fleet", "f2");
	assert_cursor(f, "campus", "c1");
	assert_cursor(f, "other", "");
	fill(f, 3);
	poll_step(f, "campus", NULL, 0, "c2");
	journal_close(f->j);
	/* older segments are gone */
	for (unsigned number = 1; number < 4; number++) {
		char *path = xasprintf("%s/events/%08x.seg", f->path, number);
		assert_int_equal(unlink(path), 0);
		free(path);
	}
	open_journal(f);
	assert_cursor(f, "fleet", "f2");
	assert_cursor(f, "campus", "c2");
}

static void test_pruning_never_takes_the_last_copy_of_a_cursor(void **state)
{
	struct fixture *f = *state;
	poll_step(f, "fleet", NULL, 0, "f1");
	fill(f, 2);
	journal_close(f->j);
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = 1,
				     .retention_bytes = 1 << 30,
				     .quarantine_bytes = 1 << 20,
				     .dedupe_window_ms = 86400000,
				     .segment_bytes = 4096,
				     .decided = decided,
				     .ctx = f };
	f->j = journal_open(&o, &err);
	assert_non_null(f->j);
	for (int i = 0; journal_start(f->j).hi < journal_end(f->j).hi && i < 400; i++)
		usleep(10000);
	assert_int_equal(journal_start(f->j).hi, journal_end(f->j).hi);
	reopen(f);
	assert_cursor(f, "fleet", "f1");
}

/* A new segment was begun, but nothing could be written into it yet. */
static void test_the_segment_before_an_empty_one_is_kept_for_its_cursors(void **state)
{
	struct fixture *f = *state;
	poll_step(f, "fleet", NULL, 0, "f1");
	while (journal_end(f->j).lo < 4096) {
		struct journal_record r = record(f, "", "{}");
		r.dedupe = PATCHBAY_DEDUPE_NONE;
		put(f, &r, NULL);
	}
	journal_close(f->j);
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = 1,
				     .retention_bytes = 1 << 30,
				     .quarantine_bytes = 1 << 20,
				     .dedupe_window_ms = 1,
				     .segment_bytes = 4096,
				     .decided = decided,
				     .ctx = f };
	f->j = journal_open(&o, &err);
	assert_non_null(f->j);
	char data[16000];
	memset(data, 'x', sizeof data - 1);
	data[sizeof data - 1] = '\0';
	struct journal_record big = record(f, "big", data);
	struct rlimit old, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 8000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum journal_outcome outcome = put(f, &big, NULL);
	char *index = xasprintf("%s/events/00000001.idx", f->path);
	for (int i = 0; access(index, F_OK) != 0 && i < 1000; i++) /* the housekeeper comes to it, and then prunes */
		usleep(5000);
	journal_close(f->j);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(outcome, JOURNAL_UNAVAILABLE);
	assert_int_equal(access(index, F_OK), 0);
	free(index);
	open_journal(f);
	assert_int_equal(journal_end(f->j).hi, 2);
	assert_cursor(f, "fleet", "f1");
}

static void damage(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	assert_true(fd != -1);
	assert_int_equal(pwrite(fd, "XXXX", 4, at), 4);
	close(fd);
}

static void test_a_damaged_copy_is_looked_up_in_the_segment_before(void **state)
{
	struct fixture *f = *state;
	poll_step(f, "fleet", NULL, 0, "f1");
	poll_step(f, "campus", NULL, 0, "c1");
	fill(f, 1);
	poll_step(f, "campus", NULL, 0, "c2");
	fill(f, 1);
	char *path = newest(f);
	poll_step(f, "campus", NULL, 0, "c3");
	journal_close(f->j);
	damage(path, 64 + 150); /* in the copies at the beginning */
	free(path);
	open_journal(f);
	assert_cursor(f, "fleet", "f1");
	assert_cursor(f, "campus", "c3");
}

/* Power fails in the middle of a write: what is left of it, at each length. A cursor is never ahead of its events. */
static void test_a_torn_step_leaves_the_cursor_before_it(void **state)
{
	struct fixture *f = *state;
	struct journal_record first = record(f, "1", "{}"), v[] = { record(f, "2", "{}"), record(f, "3", "{}") };
	poll_step(f, "fleet", &first, 1, "after 1");
	poll_step(f, "campus", NULL, 0, "c1");
	fill(f, 1); /* this segment begins with copies, and what is torn stands behind them */
	char *path = newest(f);
	off_t before = (off_t)journal_end(f->j).lo;
	poll_step(f, "fleet", v, 2, "after 3");
	off_t after = (off_t)journal_end(f->j).lo;
	assert_true(after > before);
	for (off_t end = after - 1; end >= 64; end -= 40) {
		journal_close(f->j);
		assert_int_equal(truncate(path, end), 0);
		open_journal(f);
		assert_cursor(f, "fleet", "after 1");
		assert_cursor(f, "campus", "c1");
	}
	free(path);
	assert_int_equal(poll_step(f, "fleet", v, 2, "after 3"), JOURNAL_FRESH);
	reopen(f);
	assert_cursor(f, "fleet", "after 3");
	assert_cursor(f, "campus", "c1");
}

static void test_a_large_cursor_in_small_segments(void **state)
{
	struct fixture *f = *state;
	char big[65537];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	poll_step(f, "fleet", NULL, 0, big);
	poll_step(f, "campus", NULL, 0, big);
	for (int i = 0; i < 5; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record r = record(f, key, "{}");
		assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	}
	assert_int_equal(count(f, JOURNAL_EVENT), 5);
	reopen(f);
	assert_cursor(f, "fleet", big);
}

/* ---- Held, and released */

static struct journal_record released(const struct journal_record *held)
{
	struct journal_record r = *held;
	r.flags = JOURNAL_FLAG_RELEASED;
	r.request = STR("{\"errors\":[]}");
	return r;
}

static void test_a_released_event_is_no_repeat_and_no_new_state(void **state)
{
	struct fixture *f = *state;
	static const uint8_t classes[] = { PATCHBAY_DEDUPE_KEY, PATCHBAY_DEDUPE_LATEST, PATCHBAY_DEDUPE_UNANSWERED,
					   PATCHBAY_DEDUPE_NONE };
	for (size_t i = 0; i < sizeof classes; i++) {
		char key[16];
		snprintf(key, sizeof key, "job %zu", i);
		struct journal_record held = record(f, key, "A"), newer = record(f, key, "B"), got;
		held.dedupe = newer.dedupe = classes[i];
		held.flags = JOURNAL_FLAG_HELD;
		held.token = str_c(key);
		struct journal_reader *reader = journal_reader_open(f->j);
		struct journal_pos first, at;
		assert_int_equal(put(f, &held, NULL), JOURNAL_FRESH);
		assert_int_equal(journal_find(reader, &held.id, &got, &first, &err), 1);
		assert_int_equal(journal_find_released(reader, &held.id, &got, &at, &err), 0);
		if (classes[i] == PATCHBAY_DEDUPE_LATEST)
			assert_int_equal(put(f, &newer, NULL), JOURNAL_FRESH);
		struct journal_record release = released(&held);
		assert_int_equal(poll_step(f, "fleet", &release, 1, NULL), JOURNAL_FRESH);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(journal_find(reader, &held.id, &got, &at, &err), 1);
			assert_int_equal(journal_pos_cmp(at, first), 0);
			assert_int_equal(got.flags, JOURNAL_FLAG_HELD);
			assert_int_equal(journal_find_released(reader, &held.id, &got, &at, &err), 1);
			assert_true(journal_pos_cmp(at, first) > 0);
			assert_int_equal(got.flags, JOURNAL_FLAG_RELEASED);
			assert_int_equal(got.dedupe, classes[i]);
			assert_true(str_is(got.request, "{\"errors\":[]}"));
			assert_true(str_is(got.key, key));
			journal_reader_close(reader);
			if (again == 0)
				reopen(f);
			reader = journal_reader_open(f->j);
		}
		journal_reader_close(reader);
		if (classes[i] == PATCHBAY_DEDUPE_LATEST) /* the latest state is still B */
			assert_int_equal(put(f, &newer, NULL), JOURNAL_DUP);
		else if (classes[i] == PATCHBAY_DEDUPE_KEY)
			assert_int_equal(put(f, &held, NULL), JOURNAL_DUP);
	}
}

/* Two events may be equal to the byte: what was answered is no retry, released or not. */
static void test_a_released_event_was_answered_long_ago(void **state)
{
	struct fixture *f = *state;
	struct journal_record held = record(f, "engine 1", "on"), second = record(f, "engine 1", "on");
	held.dedupe = second.dedupe = PATCHBAY_DEDUPE_UNANSWERED;
	held.flags = JOURNAL_FLAG_HELD;
	struct journal_ticket t = { 0 };
	append(f, &t, &held);
	assert_true(journal_answering(f->j, &t));
	wait_back(f);
	struct journal_record release = released(&held);
	t.records.n = 0;
	journal_encode(&t.records, &release);
	assert_int_equal(journal_append_wait(f->j, &t, &err), 0);
	assert_int_equal(t.outcome, JOURNAL_FRESH);
	assert_false(t.unanswered);
	buf_free(&t.records);
	struct journal_stats stats;
	journal_stats(f->j, &stats);
	assert_int_equal(stats.appended, 1);
	reopen(f);
	assert_int_equal(put(f, &second, NULL), JOURNAL_FRESH);
}

static void test_finding_keeps_up_with_a_growing_segment(void **state)
{
	struct fixture *f = *state;
	struct journal_reader *reader = journal_reader_open(f->j);
	for (int i = 0; i < 60; i++) { /* over several segments */
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record held = record(f, key, "{}"), got;
		held.flags = JOURNAL_FLAG_HELD;
		put(f, &held, NULL);
		assert_int_equal(journal_find(reader, &held.id, &got, NULL, &err), 1);
		assert_int_equal(journal_find_released(reader, &held.id, &got, NULL, &err), 0);
		struct journal_record release = released(&held);
		put(f, &release, NULL);
		assert_int_equal(journal_find_released(reader, &held.id, &got, NULL, &err), 1);
		assert_memory_equal(&got.id, &held.id, sizeof got.id);
	}
	assert_true(journal_end(f->j).hi > 3);
	journal_reader_close(reader);
}

/* ---- Keys */

static struct journal_key key(const char *text, uint8_t dedupe, const char *data, int64_t since_ns)
{
	return (struct journal_key){
		.source = STR("fleet"), .key = str_c(text), .dedupe = dedupe, .data = str_c(data), .since_ns = since_ns
	};
}

static void test_keys_of_any_age_are_known(void **state)
{
	struct fixture *f = *state;
	struct journal_record first = record(f, "k1", "{}"), repeat = record(f, "k1", "{}"),
			      latest = record(f, "k2", "A"), none = record(f, "k3", "{}");
	latest.dedupe = PATCHBAY_DEDUPE_LATEST;
	none.dedupe = PATCHBAY_DEDUPE_NONE;
	put(f, &first, NULL);
	fill(f, 1);
	put(f, &latest, NULL);
	put(f, &none, NULL);
	fill(f, 1);
	put(f, &repeat, NULL);
	fill(f, 1);
	journal_close(f->j);
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = INT64_C(30) * 86400000,
				     .retention_bytes = INT64_C(1) << 30,
				     .quarantine_bytes = 1 << 20,
				     .dedupe_window_ms = 1,
				     .segment_bytes = 4096,
				     .decided = decided,
				     .ctx = f };
	f->j = journal_open(&o, &err); /* dedupe has forgotten them */
	assert_non_null(f->j);
	struct journal_key keys[] = {
		key("k1", PATCHBAY_DEDUPE_KEY, "", 0),
		key("k1", PATCHBAY_DEDUPE_KEY, "other", 0),
		key("k1", PATCHBAY_DEDUPE_LATEST, "{}", 0),
		key("k2", PATCHBAY_DEDUPE_LATEST, "A", 0),
		key("k2", PATCHBAY_DEDUPE_LATEST, "A", latest.received_ns),
		key("k2", PATCHBAY_DEDUPE_LATEST, "A", latest.received_ns + 1),
		key("k2", PATCHBAY_DEDUPE_LATEST, "B", 0),
		key("k3", PATCHBAY_DEDUPE_KEY, "", 0),
		key("new", PATCHBAY_DEDUPE_KEY, "", 0),
	};
	enum { N = sizeof keys / sizeof *keys };
	struct journal_reader *reader = journal_reader_open(f->j);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(journal_keys_known(reader, keys, N, &err), 0);
		for (size_t i = 0; i < N - 1; i++)
			assert_int_equal(keys[i].known, i < 2 || i == 3 || i == 4);
		assert_int_equal(keys[N - 1].known, again == 1);
		assert_memory_equal(&keys[0].id, &first.id, sizeof first.id);
		assert_memory_equal(&keys[4].id, &latest.id, sizeof latest.id);
		struct journal_record r = record(f, "new", "{}"); /* in the segment that is being written */
		put(f, &r, NULL);
	}
	assert_int_equal(journal_keys_known(reader, NULL, 0, &err), 0);

	/* only a repeat is left */
	char *path = xasprintf("%s/events/00000001.seg", f->path);
	journal_reader_close(reader);
	journal_close(f->j);
	assert_int_equal(unlink(path), 0);
	free(path);
	open_journal(f);
	reader = journal_reader_open(f->j);
	assert_int_equal(journal_keys_known(reader, keys, 1, &err), 0);
	assert_true(keys[0].known);
	assert_memory_equal(&keys[0].id, &first.id, sizeof first.id);
	journal_reader_close(reader);
}

/* Admitted long after it was received: it is found by its id, and is no newer state than what came meanwhile. */
static void test_what_comes_late_is_no_new_state(void **state)
{
	struct fixture *f = *state;
	struct journal_record a = record(f, "v", "A"), b = record(f, "v", "B"), c = record(f, "v", "C"), got;
	a.dedupe = b.dedupe = c.dedupe = PATCHBAY_DEDUPE_LATEST;
	b.flags = JOURNAL_FLAG_LATE;
	a.received_ns -= 3600 * NS_PER_S;
	b.received_ns -= 1800 * NS_PER_S;
	assert_int_equal(put(f, &a, NULL), JOURNAL_FRESH);
	assert_int_equal(put(f, &c, NULL), JOURNAL_FRESH);
	assert_int_equal(put(f, &b, NULL), JOURNAL_FRESH);
	for (int again = 0; again < 2; again++) {
		struct journal_record repeat = record(f, "v", "C");
		repeat.dedupe = PATCHBAY_DEDUPE_LATEST;
		assert_int_equal(put(f, &repeat, NULL), JOURNAL_DUP);
		reopen(f);
	}
	/* but what was received later than the latest state is the newer one */
	struct journal_record d = record(f, "v", "D"), repeat = record(f, "v", "D");
	d.dedupe = repeat.dedupe = PATCHBAY_DEDUPE_LATEST;
	d.flags = JOURNAL_FLAG_LATE;
	assert_int_equal(put(f, &d, NULL), JOURNAL_FRESH);
	assert_int_equal(put(f, &repeat, NULL), JOURNAL_DUP);

	fill(f, 1);
	char data[5000]; /* a segment of its own */
	memset(data, 'x', sizeof data - 1);
	data[sizeof data - 1] = '\0';
	struct journal_record filler = record(f, "big", data), late = record(f, "late", data);
	put(f, &filler, NULL);
	late.flags = JOURNAL_FLAG_LATE;
	late.id = id_new(f->now_ns + 600 * NS_PER_S);
	put(f, &late, NULL);
	fill(f, 1);
	reopen(f); /* the segment's index knows how new it is */
	struct journal_reader *reader = journal_reader_open(f->j);
	assert_int_equal(journal_find(reader, &late.id, &got, NULL, &err), 1);
	journal_reader_close(reader);
}

/* ---- Together, for ThreadSanitizer */

struct poller {
	pthread_t thread;
	struct fixture *f;
	const char *source;
};

#define STEPS 100

static void *poll_source(void *arg)
{
	struct poller *p = arg;
	for (int i = 0; i < STEPS; i++) {
		struct journal_ticket t = { .quiet = true, .n = 1 };
		int64_t now = clock_wall_ns();
		char key[32], cursor[32];
		snprintf(key, sizeof key, "%d", i);
		snprintf(cursor, sizeof cursor, "after %d", i);
		struct journal_record r = { .id = id_new(now),
					    .kind = JOURNAL_EVENT,
					    .received_ns = now,
					    .source = str_c(p->source),
					    .key = str_c(key) };
		journal_encode(&t.records, &r);
		journal_encode_cursor(&t, p->source, str_c(cursor));
		struct err why;
		assert_int_equal(journal_append_wait(p->f->j, &t, &why), 0);
		buf_free(&t.records);
		struct buf got = { 0 };
		journal_source_cursor(p->f->j, p->source, &got);
		assert_string_equal(buf_cstr(&got), cursor);
		buf_free(&got);
	}
	return NULL;
}

static void test_many_pollers(void **state)
{
	struct fixture *f = *state;
	struct poller v[] = { { .f = f, .source = "a" }, { .f = f, .source = "b" }, { .f = f, .source = "c" } };
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&v[i].thread, NULL, poll_source, &v[i]), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(v[i].thread, NULL);
	assert_int_equal(count(f, JOURNAL_EVENT), 3 * STEPS);
	reopen(f);
	for (size_t i = 0; i < 3; i++)
		assert_cursor(f, v[i].source, "after 99");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_waiting_tells_what_became_of_it),
		TEST(test_waiting_ends_when_the_journal_is_in_trouble),
		TEST(test_polled_repeats_leave_no_trace),
		TEST(test_cursors_survive_restarts_and_pruning),
		TEST(test_pruning_never_takes_the_last_copy_of_a_cursor),
		TEST(test_the_segment_before_an_empty_one_is_kept_for_its_cursors),
		TEST(test_a_damaged_copy_is_looked_up_in_the_segment_before),
		TEST(test_a_torn_step_leaves_the_cursor_before_it),
		TEST(test_a_large_cursor_in_small_segments),
		TEST(test_a_released_event_is_no_repeat_and_no_new_state),
		TEST(test_a_released_event_was_answered_long_ago),
		TEST(test_finding_keeps_up_with_a_growing_segment),
		TEST(test_keys_of_any_age_are_known),
		TEST(test_what_comes_late_is_no_new_state),
		TEST(test_many_pollers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
