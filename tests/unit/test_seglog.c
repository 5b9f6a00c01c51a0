/* The log of segments on a disk that misbehaves: calls of the system are wrapped, and fail where a test says so. */
#include "base/clock.h"
#include "base/mem.h"
#include "journal/seglog.h"
#include "temp_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct { /* how many calls may still succeed; -1: all */
	int fdatasync, fsync, ftruncate, write;
} left;
static bool half; /* the write that fails leaves half of its bytes */
static struct {   /* called before the write to this place, once */
	void (*f)(void *);
	void *ctx;
	off_t at;
} before;

static bool fails(int *n)
{
	if (*n > 0)
		--*n;
	else if (*n == 0)
		return true;
	return false;
}

int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);

int __wrap_fdatasync(int fd)
{
	errno = EIO;
	return fails(&left.fdatasync) ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
	errno = EIO;
	return fails(&left.fsync) ? -1 : __real_fsync(fd);
}

int __wrap_ftruncate(int fd, off_t size)
{
	errno = EIO;
	return fails(&left.ftruncate) ? -1 : __real_ftruncate(fd, size);
}

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (before.f && at == before.at) {
		void (*f)(void *) = before.f;
		before.f = NULL;
		f(before.ctx);
	}
	if (!fails(&left.write))
		return __real_pwrite(fd, p, n, at);
	if (half && n > 1) {
		half = false;
		return __real_pwrite(fd, p, n / 2, at);
	}
	errno = ENOSPC;
	return -1;
}

struct fixture {
	char *path;
	struct seglog *log;
	uint64_t segment_bytes;
	struct err err;
};

static void reopen(struct fixture *f)
{
	seglog_close(f->log);
	f->log = seglog_open(f->path, f->segment_bytes, true, &f->err);
	if (!f->log)
		fail_msg("%s", f->err.text);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	memset(&left, 0xff, sizeof left);
	before.f = NULL;
	f->path = temp_dir_make();
	f->segment_bytes = 1000;
	reopen(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	seglog_close(f->log);
	temp_dir_remove(f->path);
	free(f);
	return 0;
}

/* Commits `n` records as one group. */
static int commit(struct fixture *f, size_t n)
{
	struct journal_pos at;
	uint64_t salt;
	struct buf b = { 0 };
	if (seglog_reserve(f->log, &at, &salt, &f->err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t start = b.n;
		struct journal_record r = { .id = id_new(clock_wall_ns()),
					    .kind = JOURNAL_EVENT,
					    .source = STR("fleet"),
					    .data = STR("{\"a\":1}") };
		record_encode(&b, &r);
		record_seal((void *)(b.p + start), salt);
	}
	int result = seglog_commit(f->log, b.p, b.n, &f->err);
	buf_free(&b);
	return result;
}

static void add_one(void *ctx, uint64_t offset, const struct record_head *head)
{
	(void)offset;
	(void)head;
	++*(size_t *)ctx;
}

/* How many records the log has; that nothing else stands between them is checked on the way. */
static size_t records(struct fixture *f)
{
	struct seglog_segment s;
	size_t n = 0;
	for (size_t i = 0; seglog_at(f->log, i, &s); i++) {
		struct segment_header h;
		uint64_t bad;
		int fd = segment_open(seglog_dir(f->log), s.number, O_RDONLY, &h, &f->err);
		assert_int_not_equal(fd, -1);
		assert_int_equal(segment_scan(fd, s.salt, SEGMENT_HEADER_SIZE, s.end, add_one, &n, &bad, &f->err),
				 s.end);
		assert_int_equal(bad, 0);
		close(fd);
	}
	return n;
}

static uint64_t size_of(struct fixture *f, uint64_t number)
{
	char name[SEGMENT_NAME_SIZE];
	struct stat st;
	segment_name(number, "seg", name);
	assert_int_equal(fstatat(seglog_dir(f->log), name, &st, 0), 0);
	return (uint64_t)st.st_size;
}

static size_t files(struct fixture *f, const char *suffix)
{
	DIR *d = opendir(f->path);
	size_t n = 0;
	uint64_t number;
	for (struct dirent *e; (e = readdir(d));)
		n += segment_parse_name(e->d_name, suffix, &number);
	closedir(d);
	return n;
}

static void test_full_segments_are_finished(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 1; i <= 20; i++)
		assert_int_equal(commit(f, 1), 0);
	size_t segments = seglog_count(f->log);
	assert_in_range(segments, 3, 5);
	assert_int_equal(records(f), 20);
	struct seglog_segment s;
	bool last;
	assert_true(seglog_find(f->log, 2, &s, &last));
	assert_int_equal(s.number, 2);
	assert_false(last);
	reopen(f);
	assert_int_equal(records(f), 20);
	assert_int_equal(seglog_count(f->log), segments);
	seglog_prune(f->log, 3);
	assert_true(seglog_find(f->log, 1, &s, NULL));
	assert_int_equal(s.number, 3);
	seglog_prune(f->log, 1000);
	assert_int_equal(seglog_count(f->log), 1); /* the last one stays */
	assert_int_equal(commit(f, 1), 0);
}

static void test_a_file_is_abandoned_after_a_failed_sync(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(commit(f, 2), 0);
	struct journal_pos end = seglog_end(f->log);
	left.fdatasync = 0;
	assert_int_equal(commit(f, 1), -1);
	assert_int_equal(journal_pos_cmp(seglog_end(f->log), end), 0);
	/* a restart before there is a new segment finds nothing that was not acknowledged */
	assert_int_equal(size_of(f, 1), end.lo);
	left.fdatasync = -1;
	left.write = 0; /* and the disk is full, so there is no new segment either */
	assert_int_equal(commit(f, 1), -1);
	assert_int_equal(files(f, "tmp"), 0);
	left.write = -1;
	assert_int_equal(commit(f, 1), 0);
	assert_int_equal(seglog_end(f->log).hi, 2);
	assert_int_equal(size_of(f, 1), end.lo);
	assert_int_equal(records(f), 3);
	reopen(f);
	assert_int_equal(records(f), 3);
}

static void test_what_could_not_be_cut_off_an_abandoned_file_does_not_count(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(commit(f, 2), 0);
	uint64_t end = seglog_end(f->log).lo;
	left.fdatasync = left.ftruncate = 0;
	assert_int_equal(commit(f, 1), -1);
	left.fdatasync = left.ftruncate = -1;
	assert_int_equal(commit(f, 1), 0);
	assert_true(size_of(f, 1) > end);
	reopen(f);
	struct seglog_segment s;
	assert_true(seglog_at(f->log, 0, &s));
	assert_int_equal(s.end, end);
	assert_int_equal(records(f), 3);
}

static void test_a_group_that_did_not_fit_is_cut_off(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(commit(f, 1), 0);
	uint64_t end = seglog_end(f->log).lo;
	left.write = 0;
	half = true;
	assert_int_equal(commit(f, 3), -1);
	assert_non_null(strstr(f->err.text, strerror(ENOSPC)));
	assert_int_equal(size_of(f, 1), end);
	/* now it cannot even be cut off: nothing is written behind it until it is */
	left.ftruncate = 0;
	half = true;
	assert_int_equal(commit(f, 3), -1);
	assert_true(size_of(f, 1) > end);
	left.write = -1;
	assert_int_equal(commit(f, 1), -1);
	left.ftruncate = -1;
	assert_int_equal(commit(f, 1), 0);
	assert_int_equal(records(f), 2);
	reopen(f);
	assert_int_equal(records(f), 2);
}

static void test_a_segment_that_could_not_be_begun_is_begun_later(void **state)
{
	struct fixture *f = *state;
	while (seglog_end(f->log).lo < 1000)
		assert_int_equal(commit(f, 1), 0);
	size_t n = records(f);
	for (int synced = 0; synced < 2;
	     synced++) { /* the file's sync fails; the folder's, when it has its name already */
		left.fsync = synced;
		assert_int_equal(commit(f, 1), -1);
		assert_int_equal(seglog_count(f->log), 1);
		assert_int_equal(files(f, "tmp"), 0);
	}
	left.fsync = -1;
	reopen(f);
	assert_int_equal(records(f), n);
	assert_int_equal(commit(f, 1), 0);
	assert_int_equal(records(f), n + 1);
}

static void test_what_cannot_be_read_now_is_not_set_aside(void **state)
{
	struct fixture *f = *state;
	while (seglog_count(f->log) < 3)
		assert_int_equal(commit(f, 1), 0);
	char *second = xasprintf("%s/00000002.seg", f->path), *away = xasprintf("%s/away", f->path);
	seglog_close(f->log);
	assert_int_equal(rename(second, away), 0);
	assert_int_equal(mkdir(second, 0700), 0); /* reading it is an error of the system, as with a bad sector */
	f->log = seglog_open(f->path, 1000, true, &f->err);
	assert_null(f->log);
	assert_non_null(strstr(f->err.text, "00000002.seg"));
	assert_int_equal(files(f, "bad"), 0);
	assert_int_equal(rmdir(second), 0);
	assert_int_equal(rename(away, second), 0);
	free(second);
	free(away);
	reopen(f);
	assert_int_equal(seglog_count(f->log), 3);
}

static void damage(struct fixture *f, uint64_t number)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(number, "seg", name);
	int fd = openat(seglog_dir(f->log), name, O_WRONLY);
	assert_int_equal(__real_pwrite(fd, "XX", 2, 20), 2);
	close(fd);
}

static void test_positions_of_a_lost_segment_are_not_used_again(void **state)
{
	struct fixture *f = *state;
	while (seglog_count(f->log) < 3)
		assert_int_equal(commit(f, 1), 0);
	size_t n = records(f);
	damage(f, 3);
	reopen(f);
	assert_int_equal(files(f, "bad"), 1);
	assert_int_equal(seglog_end(f->log).hi, 4);
	assert_int_equal(records(f), n - 1);
	assert_int_equal(commit(f, 1), 0);
	reopen(f);
	assert_int_equal(records(f), n);
	damage(f, 1);
	damage(f, 2);
	damage(f, 4);
	reopen(f); /* all are lost */
	assert_int_equal(seglog_end(f->log).hi, 5);
	assert_int_equal(commit(f, 1), 0);
	assert_int_equal(records(f), 1);
}

static void test_leftovers_of_a_crash_go(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "00000002.tmp", "00000001.idx-tmp", "00000002.pre", "00000002.raw" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		close(openat(seglog_dir(f->log), names[i], O_CREAT | O_WRONLY, 0600));
	reopen(f);
	assert_int_equal(files(f, "tmp") + files(f, "idx-tmp") + files(f, "pre") + files(f, "raw"), 0);
	assert_int_equal(seglog_count(f->log), 1);
}

#define LARGE (UINT64_C(2) << 20)
static atomic_bool never, at_once = true;

static void test_a_prepared_segment_is_used(void **state)
{
	struct fixture *f = *state;
	f->segment_bytes = LARGE;
	reopen(f);
	assert_int_equal(commit(f, 1), 0);
	seglog_prepare(f->log, &at_once);
	assert_int_equal(files(f, "pre") + files(f, "raw"), 0);
	reopen(f);
	left.fdatasync = 1;
	seglog_prepare(f->log, &never);
	assert_int_equal(files(f, "pre") + files(f, "raw"), 0);
	left.fdatasync = -1;
	reopen(f);
	seglog_prepare(f->log, &never);
	assert_int_equal(files(f, "pre"), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(commit(f, 1), 0);
	assert_int_equal(seglog_end(f->log).hi, 2);
	assert_int_equal(files(f, "pre"), 0);
	assert_int_equal(size_of(f, 2), LARGE);
	assert_int_equal(records(f), 4);
	struct journal_pos end = seglog_end(f->log);
	reopen(f); /* zeros are the end, not damage */
	assert_int_equal(journal_pos_cmp(seglog_end(f->log), end), 0);
	assert_int_equal(size_of(f, 2), LARGE);
	assert_int_equal(commit(f, 1), 0);
	left.fdatasync = 0; /* the zeros of an abandoned file are nothing to read */
	assert_int_equal(commit(f, 1), -1);
	left.fdatasync = -1;
	assert_int_equal(commit(f, 1), 0);
	reopen(f);
	assert_int_equal(records(f), 6);
}

static void commit_much(void *ctx)
{
	assert_int_equal(commit(ctx, 8000), 0); /* reaches into the other half */
}

static void test_a_segment_in_use_is_not_prepared(void **state)
{
	struct fixture *f = *state;
	f->segment_bytes = LARGE;
	reopen(f);
	assert_int_equal(commit(f, 16000), 0); /* it is full */
	before.f = commit_much;
	before.ctx = f;
	before.at = 1 << 20; /* half of the zeros are written */
	seglog_prepare(f->log, &never);
	assert_null(before.f);
	assert_int_equal(seglog_end(f->log).hi, 2);
	assert_int_equal(files(f, "pre") + files(f, "raw"), 0);
	assert_int_equal(commit(f, 1), 0);
	assert_int_equal(records(f), 24001);
	reopen(f);
	assert_int_equal(records(f), 24001);
	assert_int_equal(seglog_end(f->log).hi, 2);
}

/* The follower knows what one that is opened now would know. */
static void assert_up_to_date(struct fixture *f, struct seglog *follower)
{
	struct seglog *fresh = seglog_open(f->path, f->segment_bytes, false, &f->err);
	struct seglog_segment x, y;
	assert_int_equal(seglog_refresh(follower, &f->err), 0);
	assert_int_equal(seglog_count(follower), seglog_count(fresh));
	for (size_t i = 0; seglog_at(fresh, i, &x); i++) {
		assert_true(seglog_at(follower, i, &y));
		assert_int_equal(y.number, x.number);
		assert_int_equal(y.end, x.end);
	}
	seglog_close(fresh);
}

static void test_a_reader_follows_the_writer(void **state)
{
	struct fixture *f = *state;
	struct seglog *follower = seglog_open(f->path, f->segment_bytes, false, &f->err);
	assert_non_null(follower);
	for (size_t i = 1; i <= 20; i++) { /* within a segment, and over the end of several */
		assert_int_equal(commit(f, i % 3 + 1), 0);
		if (i % 4)
			assert_up_to_date(f, follower);
	}
	left.fdatasync = 0; /* what was written is not known to be there: the next segment says so */
	assert_int_equal(commit(f, 1), -1);
	left.fdatasync = -1;
	assert_int_equal(seglog_refresh(follower, &f->err), 0);
	assert_int_equal(commit(f, 1), 0);
	assert_up_to_date(f, follower);
	seglog_prune(f->log, seglog_end(f->log).hi - 1);
	assert_up_to_date(f, follower);
	assert_int_equal(commit(f, 2), 0);
	assert_up_to_date(f, follower);
	seglog_close(follower);
}

static void test_a_reader_notices_another_log_in_its_place(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(commit(f, 2), 0);
	struct seglog *follower = seglog_open(f->path, f->segment_bytes, false, &f->err);
	assert_non_null(follower);
	assert_int_equal(unlinkat(seglog_dir(f->log), "00000001.seg", 0), 0);
	reopen(f);
	assert_int_equal(seglog_end(f->log).hi, 1);
	assert_int_equal(commit(f, 3), 0);
	assert_int_equal(seglog_refresh(follower, &f->err), -1);
	seglog_close(follower);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_segments_are_finished, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_is_abandoned_after_a_failed_sync, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_could_not_be_cut_off_an_abandoned_file_does_not_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_group_that_did_not_fit_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_segment_that_could_not_be_begun_is_begun_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read_now_is_not_set_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_positions_of_a_lost_segment_are_not_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftovers_of_a_crash_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_prepared_segment_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_segment_in_use_is_not_prepared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_reader_follows_the_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_reader_notices_another_log_in_its_place, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
