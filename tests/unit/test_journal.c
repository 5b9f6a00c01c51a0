/* The embedded journal as a whole, in a temporary folder. */
#include "journal_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_a_key_names_one_event_also_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct journal_record first = record(f, "a", "{\"n\":1}"), again = record(f, "a", "{\"n\":2}"),
			      other = record(f, "b", "{}");
	struct id id;
	assert_int_equal(put(f, &first, &id), JOURNAL_FRESH);
	assert_memory_equal(&id, &first.id, sizeof id);
	assert_int_equal(put(f, &again, &id), JOURNAL_DUP);
	assert_memory_equal(&id, &first.id, sizeof id);
	assert_int_equal(put(f, &other, NULL), JOURNAL_FRESH);
	reopen(f);
	assert_int_equal(put(f, &again, &id), JOURNAL_DUP);
	assert_memory_equal(&id, &first.id, sizeof id);
	again.source = STR("other-source");
	assert_int_equal(put(f, &again, NULL), JOURNAL_FRESH);
	assert_int_equal(count(f, JOURNAL_EVENT), 3);
	assert_int_equal(count(f, JOURNAL_DUPLICATE), 2);
}

static void test_a_token_with_another_key_is_a_replay(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "m1", "{}");
	r.token = STR("tok");
	assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	assert_int_equal(put(f, &r, NULL), JOURNAL_DUP);
	struct journal_record forged = record(f, "m2", "{}");
	forged.token = STR("tok");
	assert_int_equal(put(f, &forged, NULL), JOURNAL_REPLAYED);
	/* the token of a retry counts as well */
	struct journal_record retry = record(f, "m1", "{}");
	retry.token = STR("tok2");
	assert_int_equal(put(f, &retry, NULL), JOURNAL_DUP);
	reopen(f);
	forged.token = STR("tok2");
	assert_int_equal(put(f, &forged, NULL), JOURNAL_REPLAYED);
	forged.token = STR("tok3");
	assert_int_equal(put(f, &forged, NULL), JOURNAL_FRESH);
	assert_int_equal(count(f, JOURNAL_EVENT), 2);

	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos cursor = { 0, 0 };
	struct journal_record refused;
	struct err err;
	assert_int_equal(journal_read_refused(reader, &cursor, &refused, &err), 1);
	assert_true(str_starts(refused.note, STR("replay: ")));
	journal_reader_close(reader);
}

static void test_snapshots_compare_with_the_latest_only(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *data;
		enum journal_outcome outcome;
	} steps[] = {
		{ "A", JOURNAL_FRESH }, { "A", JOURNAL_DUP }, { "B", JOURNAL_FRESH },
		{ "A", JOURNAL_FRESH }, { "A", JOURNAL_DUP },
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct journal_record r = record(f, "vehicle 1", steps[i].data);
		r.dedupe = PATCHBAY_DEDUPE_LATEST;
		assert_int_equal(put(f, &r, NULL), steps[i].outcome);
		if (i == 2)
			reopen(f);
	}
}

static enum journal_outcome toggle(struct fixture *f, const char *data, bool answer, bool arrives)
{
	struct journal_record r = record(f, "engine 1", data);
	r.dedupe = PATCHBAY_DEDUPE_UNANSWERED;
	struct journal_ticket t = { 0 };
	append(f, &t, &r);
	enum journal_outcome outcome = t.outcome;
	assert_true(t.unanswered);
	if (answer) {
		assert_true(journal_answering(f->j, &t));
		wait_back(f);
		assert_int_equal(t.outcome, JOURNAL_FRESH);
		if (!arrives)
			journal_answer_failed(f->j, &t);
	}
	buf_free(&t.records);
	return outcome;
}

static void test_equal_bytes_are_a_retry_only_if_no_answer_arrived(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_FRESH);
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_FRESH); /* answered: a second real event */
	assert_int_equal(toggle(f, "on", true, false), JOURNAL_FRESH);
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_DUP); /* its answer did not arrive: the retry */
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_FRESH);
	assert_int_equal(toggle(f, "on", true, false), JOURNAL_FRESH);
	assert_int_equal(toggle(f, "off", true, true), JOURNAL_FRESH);
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_FRESH); /* the opposite came between */
	assert_int_equal(count(f, JOURNAL_EVENT), 7);
}

static void test_answers_are_remembered_over_a_restart(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(toggle(f, "on", false, false), JOURNAL_FRESH); /* killed before it could answer */
	reopen(f);
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_DUP);
	reopen(f);
	assert_int_equal(toggle(f, "on", true, false), JOURNAL_FRESH);
	reopen(f);
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_DUP);
	f->now_ns += INT64_C(27001) * NS_PER_S;
	assert_int_equal(toggle(f, "on", false, false), JOURNAL_FRESH);
	f->now_ns += INT64_C(27001) * NS_PER_S;
	assert_int_equal(toggle(f, "on", true, true), JOURNAL_FRESH); /* beyond the retry horizon */
}

static char *newest_segment(const struct fixture *f)
{
	char *dir = xasprintf("%s/events", f->path), newest[256] = "";
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));)
		if (strstr(e->d_name, ".seg") && strcmp(e->d_name, newest) > 0)
			snprintf(newest, sizeof newest, "%s", e->d_name);
	closedir(d);
	char *path = xasprintf("%s/%s", dir, newest);
	free(dir);
	return path;
}

static void test_a_torn_tail_costs_only_what_was_torn(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 3; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record r = record(f, key, "{\"some\":\"data\"}");
		assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	}
	for (int cut = 1; cut <= 200; cut += 33) {
		journal_close(f->j);
		char *path = newest_segment(f);
		/* as after a crash in the middle of a write: garbage, and a part of a record */
		FILE *file = fopen(path, "r+");
		fseek(file, 0, SEEK_END);
		long end = ftell(file);
		char bytes[200];
		fseek(file, end - 200, SEEK_SET);
		assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
		bytes[0] = 'x'; /* zeros are what a prepared segment has there */
		fseek(file, end, SEEK_SET);
		fwrite(bytes, 1, (size_t)cut, file);
		fclose(file);
		open_journal(f);
		assert_int_equal(count(f, JOURNAL_EVENT), 3);
		struct stat st;
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, end);
		free(path);
	}
	struct journal_record again = record(f, "2", "{}");
	assert_int_equal(put(f, &again, NULL), JOURNAL_DUP);
}

static void test_damage_in_the_middle_harms_only_itself(void **state)
{
	struct fixture *f = *state;
	struct id ids[3];
	for (int i = 0; i < 3; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record r = record(f, key, "{\"some\":\"data\"}");
		ids[i] = r.id;
		put(f, &r, NULL);
	}
	journal_close(f->j);
	char *path = newest_segment(f);
	int fd = open(path, O_RDWR);
	struct stat st;
	fstat(fd, &st);
	off_t size = (st.st_size - 64) / 3;
	assert_int_equal(pwrite(fd, "XXXX", 4, 64 + size + size / 2), 4);
	close(fd);
	free(path);
	open_journal(f);
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = journal_start(f->j);
	struct journal_record r;
	struct err err;
	assert_int_equal(journal_read(reader, &pos, &r, NULL, &err), 1);
	assert_memory_equal(&r.id, &ids[0], sizeof r.id);
	assert_int_equal(journal_read(reader, &pos, &r, NULL, &err), -1);
	assert_non_null(strstr(err.text, "damaged"));
	assert_int_equal(journal_read(reader, &pos, &r, NULL, &err), 1);
	assert_memory_equal(&r.id, &ids[2], sizeof r.id);
	assert_int_equal(journal_read(reader, &pos, &r, NULL, &err), 0);
	journal_reader_close(reader);
}

static void test_reads_forward_backward_and_by_id_across_segments(void **state)
{
	struct fixture *f = *state;
	enum { N = 100 };
	struct id ids[N];
	for (int i = 0; i < N; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record r = record(f, key, "{}");
		ids[i] = r.id;
		put(f, &r, NULL);
	}
	assert_true(journal_end(f->j).hi > 3);
	reopen(f);
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = journal_start(f->j), at;
	struct journal_record r;
	struct err err;
	for (int i = 0; i < N; i++) {
		assert_int_equal(journal_read(reader, &pos, &r, &at, &err), 1);
		assert_memory_equal(&r.id, &ids[i], sizeof r.id);
		assert_int_equal(journal_read_at(reader, at, &r, &err), 1);
		assert_memory_equal(&r.id, &ids[i], sizeof r.id);
	}
	assert_int_equal(journal_read(reader, &pos, &r, NULL, &err), 0);
	pos = journal_end(f->j);
	for (int i = N; i-- > 0;) {
		assert_int_equal(journal_read_before(reader, &pos, &r, &err), 1);
		assert_memory_equal(&r.id, &ids[i], sizeof r.id);
	}
	assert_int_equal(journal_read_before(reader, &pos, &r, &err), 0);
	for (int i = 0; i < N; i += 7) {
		assert_int_equal(journal_find(reader, &ids[i], &r, NULL, &err), 1);
		assert_memory_equal(&r.id, &ids[i], sizeof r.id);
	}
	struct id unknown = id_new(f->now_ns);
	assert_int_equal(journal_find(reader, &unknown, &r, NULL, &err), 0);
	journal_reader_close(reader);
}

struct states {
	enum journal_state state[4];
	size_t n;
};

static void take_state(void *ctx, const struct journal_delivery_state *d)
{
	struct states *s = ctx;
	s->state[s->n++] = d->state;
}

static enum journal_state state_of(struct fixture *f, struct journal_pos at, const struct id *id)
{
	struct states s = { .n = 0 };
	struct err err;
	assert_int_equal(journal_deliveries(f->j, at, id, take_state, &s, &err), 0);
	assert_int_equal(s.n, 1);
	return s.state[0];
}

static void test_settling_is_remembered_event_by_event(void **state)
{
	struct fixture *f = *state;
	struct journal_sink sink;
	struct err err = { "" };
	assert_int_equal(journal_sink_open(f->j, "audit", &sink, &err), 0);
	assert_true(sink.fresh);
	enum { N = 40 };
	struct journal_settled items[N];
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = sink.cursor;
	for (int i = 0; i < N; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record r = record(f, key, "{}");
		put(f, &r, NULL);
		items[i] = (struct journal_settled){
			.id = r.id, .act = JOURNAL_DONE, .attempt = 1, .at_ms = 5, .why = STR("")
		};
		assert_int_equal(journal_read(reader, &pos, &r, &items[i].at, &err), 1);
	}
	items[3].act = JOURNAL_PARK;
	items[3].due_ms = 1000;
	items[3].why = STR("later");
	items[5].act = JOURNAL_DEAD;
	items[5].class_ = "event";
	items[5].why = STR("bad");
	items[7].act = JOURNAL_SKIP;
	items[7].attempt = 0;
	struct journal_settled settled[N];
	memcpy(settled, items, sizeof items);
	settled[9] = settled[10]; /* 9 is not routed to this sink */
	memmove(settled + 10, items + 11, (N - 11) * sizeof *items);
	patchbay_str checkpoint = STR("v1 here");
	assert_int_equal(journal_settle(f->j, "audit", &pos, settled, N - 1, &checkpoint, &err), 0);
	journal_reader_close(reader);
	reopen(f);
	for (int i = 0; i < N; i++) {
		enum journal_state want = i == 3   ? JOURNAL_STATE_PARKED
					  : i == 5 ? JOURNAL_STATE_DEAD
					  : i == 7 ? JOURNAL_STATE_SKIPPED
					  : i == 9 ? JOURNAL_STATE_NOT_ROUTED
						   : JOURNAL_STATE_DONE;
		assert_int_equal(state_of(f, items[i].at, &items[i].id), want);
	}
	assert_int_equal(journal_sink_open(f->j, "audit", &sink, &err), 0);
	assert_false(sink.fresh);
	assert_int_equal(journal_pos_cmp(sink.cursor, pos), 0);
	assert_true(str_eq(sink.checkpoint, checkpoint));
	free((void *)(uintptr_t)sink.checkpoint.p);

	struct journal_parked due[4];
	int64_t next;
	assert_int_equal(journal_due(f->j, "audit", 999, due, 4, &next, &err), 0);
	assert_int_equal(next, 1000);
	assert_int_equal(journal_due(f->j, "audit", 1000, due, 4, &next, &err), 1);
	assert_memory_equal(&due[0].id, &items[3].id, sizeof due[0].id);
	items[3].act = JOURNAL_DONE;
	items[3].was_parked = true;
	items[3].attempt = 2;
	assert_int_equal(journal_settle(f->j, "audit", NULL, &items[3], 1, NULL, &err), 0);
	assert_int_equal(state_of(f, items[3].at, &items[3].id), JOURNAL_STATE_DONE);
	assert_int_equal(journal_due(f->j, "audit", INT64_MAX, due, 4, &next, &err), 0);
}

static void test_a_second_daemon_is_kept_out(void **state)
{
	struct fixture *f = *state;
	struct journal_options o = { .path = f->path, .decided = decided, .ctx = f };
	struct err err = { "" };
	assert_null(journal_open(&o, &err));
	assert_non_null(strstr(err.text, "in use by another patchbay"));
}

static void wait_for_file(const struct fixture *f, const char *name)
{
	char *path = xasprintf("%s/%s", f->path, name);
	for (int i = 0; access(path, F_OK) != 0; i++) {
		if (i == 1000)
			fail_msg("%s does not come", path);
		usleep(10000);
	}
	free(path);
}

static void put_many(struct fixture *f, int from, int to)
{
	for (int i = from; i < to; i++) {
		char key[16];
		snprintf(key, sizeof key, "%d", i);
		struct journal_record r = record(f, key, "{}");
		assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	}
}

static void test_the_segment_of_a_restart_is_indexed_when_it_is_full(void **state)
{
	struct fixture *f = *state;
	put_many(f, 0, 1);
	reopen(f);
	f->now_ns += 120 * NS_PER_S;
	struct journal_record later = record(f, "later", "{}");
	put(f, &later, NULL);
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_record r;
	struct err err;
	assert_int_equal(journal_find(reader, &later.id, &r, NULL, &err), 1);
	journal_reader_close(reader);
	put_many(f, 1, 40);
	wait_for_file(f, "events/00000001.idx");
}

/* Until the journal takes it again: it tries ten times a second. */
static enum journal_outcome put_patiently(struct fixture *f, const struct journal_record *r)
{
	enum journal_outcome outcome = JOURNAL_UNAVAILABLE;
	for (int i = 0; i < 500 && outcome == JOURNAL_UNAVAILABLE; i++) {
		outcome = put(f, r, NULL);
		if (outcome == JOURNAL_UNAVAILABLE)
			usleep(20000);
	}
	return outcome;
}

static void test_a_repeat_is_no_event_when_descriptors_have_run_out(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "a", "{}");
	put(f, &r, NULL);
	reopen(f); /* the journal has to look it up on the disk now */
	struct rlimit old = use_up_descriptors();
	enum journal_outcome outcome = put(f, &r, NULL);
	struct journal_stats stats;
	journal_stats(f->j, &stats);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(outcome, JOURNAL_UNAVAILABLE);
	assert_int_equal(stats.appended, 0);
	assert_int_equal(put_patiently(f, &r), JOURNAL_DUP);
	assert_int_equal(count(f, JOURNAL_EVENT), 1);
}

static void test_a_limit_smaller_than_an_event_does_not_close_the_journal_for_good(void **state)
{
	struct fixture *f = *state;
	journal_close(f->j);
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = INT64_C(30) * 86400000,
				     .retention_bytes = 5000,
				     .quarantine_bytes = 0,
				     .dedupe_window_ms = 86400000,
				     .decided = decided,
				     .ctx = f };
	struct err err = { "" };
	f->j = journal_open(&o, &err);
	assert_non_null(f->j);
	struct journal_sink sink;
	assert_int_equal(journal_sink_open(f->j, "audit", &sink, &err), 0);
	char data[6000];
	memset(data, 'x', sizeof data - 1);
	data[sizeof data - 1] = '\0';
	struct journal_record r = record(f, "a", data), b = record(f, "b", "{}");
	assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	for (int i = 0; !journal_trouble(f->j, NULL); i++) { /* the housekeeper has seen it */
		assert_true(i < 500);
		struct journal_record more = record(f, "more", "{}");
		put(f, &more, NULL);
		usleep(20000);
	}
	assert_int_equal(put(f, &b, NULL), JOURNAL_UNAVAILABLE); /* it is owed to the sink */
	struct journal_pos end = sink.cursor;
	struct journal_reader *reader = journal_reader_open(f->j);
	while (journal_read(reader, &end, &r, NULL, &err) == 1)
		;
	journal_reader_close(reader);
	assert_int_equal(journal_settle(f->j, "audit", &end, NULL, 0, NULL, &err), 0);
	assert_int_equal(put_patiently(f, &b), JOURNAL_FRESH);
}

static size_t count_from(struct fixture *f, struct journal_pos pos)
{
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_record r;
	struct err err;
	size_t n = 0;
	while (journal_read(reader, &pos, &r, NULL, &err) == 1)
		n++;
	journal_reader_close(reader);
	return n;
}

/* What a sink did is on record by position, so a position that was lost must not come to mean another event. */
static void test_events_behind_a_lost_end_are_not_skipped(void **state)
{
	struct fixture *f = *state;
	struct journal_sink sink;
	struct err err;
	assert_int_equal(journal_sink_open(f->j, "audit", &sink, &err), 0);
	for (int lost = 0; lost < 2; lost++) { /* the last record; the newest segment */
		put_many(f, lost * 100, lost * 100 + 3);
		struct journal_pos end = journal_end(f->j);
		assert_int_equal(journal_settle(f->j, "audit", &end, NULL, 0, NULL, &err), 0);
		journal_close(f->j);
		char *path = newest_segment(f);
		int fd = open(path, O_RDWR);
		struct stat st;
		fstat(fd, &st);
		if (lost == 0)
			assert_int_equal(ftruncate(fd, st.st_size - 8), 0);
		else
			assert_int_equal(pwrite(fd, "XX", 2, 20), 2);
		close(fd);
		free(path);
		open_journal(f);
		assert_int_equal(journal_sink_open(f->j, "audit", &sink, &err), 0);
		assert_true(journal_pos_cmp(sink.cursor, journal_end(f->j)) <= 0);
		put_many(f, lost * 100 + 10, lost * 100 + 15);
		assert_int_equal(count_from(f, sink.cursor), 5);
	}
	/* and the keys of all that is left are still known */
	struct journal_record r = record(f, "0", "{}");
	assert_int_equal(put(f, &r, NULL), JOURNAL_DUP);
}

/* Several threads that append and wait, while another reads: for ThreadSanitizer. */
struct poster {
	pthread_t thread;
	struct journal *j;
	int number;
};

static void decided_alone(void *ctx, struct journal_ticket *list)
{
	(void)ctx;
	for (struct journal_ticket *next; list; list = next) {
		next = list->next;
		assert_int_equal(list->outcome, JOURNAL_FRESH);
		buf_free(&list->records);
		free(list);
	}
}

#define POSTS 300

static void *post(void *arg)
{
	struct poster *p = arg;
	for (int i = 0; i < POSTS; i++) {
		struct journal_ticket *t = xcalloc(1, sizeof *t);
		int64_t now = clock_wall_ns();
		char key[32];
		snprintf(key, sizeof key, "%d-%d", p->number, i);
		struct journal_record r = { .id = id_new(now),
					    .kind = i % 16 ? JOURNAL_EVENT : JOURNAL_REFUSED,
					    .received_ns = now,
					    .source = STR("fleet"),
					    .key = str_c(key),
					    .token = str_c(key) };
		journal_encode(&t->records, &r);
		assert_true(journal_append(p->j, t));
		struct journal_stats stats;
		journal_stats(p->j, &stats);
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	struct fixture *f = *state;
	journal_close(f->j);
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = 1,
				     .retention_bytes = 1 << 30,
				     .quarantine_bytes = 1 << 14,
				     .dedupe_window_ms = 86400000,
				     .segment_bytes = 4096,
				     .decided = decided_alone };
	struct err err = { "" };
	f->j = journal_open(&o, &err);
	assert_non_null(f->j);
	struct poster posters[4];
	size_t n_refused = (POSTS + 15) / 16, wanted = (POSTS - n_refused) * 4, n = 0;
	struct journal_sink sink;
	assert_int_equal(journal_sink_open(f->j, "audit", &sink, &err), 0); /* holds what is not read yet */
	for (int i = 0; i < 4; i++) {
		posters[i] = (struct poster){ .j = f->j, .number = i };
		assert_int_equal(pthread_create(&posters[i].thread, NULL, post, &posters[i]), 0);
	}
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = sink.cursor;
	while (n < wanted) {
		struct journal_record r;
		int rc = journal_read(reader, &pos, &r, NULL, &err);
		assert_int_not_equal(rc, -1);
		n += rc == 1;
		if (rc == 0)
			journal_wait(f->j, pos, 60000); /* a wake-up that is lost takes a minute */
		else if (n % 100 == 0)
			assert_int_equal(journal_settle(f->j, "audit", &pos, NULL, 0, NULL, &err), 0);
	}
	journal_reader_close(reader);
	for (int i = 0; i < 4; i++)
		pthread_join(posters[i].thread, NULL);
	assert_int_equal(n, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_key_names_one_event_also_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_token_with_another_key_is_a_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_snapshots_compare_with_the_latest_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_equal_bytes_are_a_retry_only_if_no_answer_arrived, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_answers_are_remembered_over_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_torn_tail_costs_only_what_was_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage_in_the_middle_harms_only_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads_forward_backward_and_by_id_across_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settling_is_remembered_event_by_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_second_daemon_is_kept_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_segment_of_a_restart_is_indexed_when_it_is_full, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_repeat_is_no_event_when_descriptors_have_run_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_limit_smaller_than_an_event_does_not_close_the_journal_for_good,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_events_behind_a_lost_end_are_not_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_threads, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
