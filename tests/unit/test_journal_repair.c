/* A journal that is damaged, byte class by byte class and at random: what is found, what is mended, that no record is
 * lost whose bytes are whole, and that what was mended opens. */
#include "journal_fixture.h"

#include "journal/repair.h"
#include "journal/segment.h"
#include "journal/state.h"
#include "journal/verify.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

/* ---- Looking */

struct found {
	unsigned damages, remarks;
	char text[8192]; /* a line for each damage: "file:from-to: what; means" */
};

static void see(void *ctx, const struct verify_fault *fault)
{
	struct found *f = ctx;
	size_t n = strlen(f->text);
	f->damages += fault->damage;
	f->remarks += !fault->damage;
	snprintf(f->text + n, sizeof f->text - n, "%s:%d-%d: %s; %s\n", fault->file, (int)fault->from, (int)fault->to,
		 fault->what, fault->means);
}

static struct found check(struct fixture *f, struct verify_sums *sums)
{
	struct found found = { 0 };
	struct verify_sums ignored;
	struct err err = { "" };
	if (verify_journal(f->path, see, &found, sums ? sums : &ignored, &err) != 0)
		fail_msg("%s", err.text);
	return found;
}

static void note_step(void *ctx, const char *file, const char *what)
{
	char *text = ctx;
	size_t n = strlen(text);
	snprintf(text + n, 8192 - n, "%s: %s\n", file, what);
}

/* What was done, a line for each step. */
static const char *repair(struct fixture *f, bool dry_run)
{
	static char text[8192];
	static const char *const sinks[] = { "s" };
	struct repair_sums sums;
	struct err err = { "" };
	text[0] = '\0';
	const struct repair_order order = {
		.path = f->path, .dry_run = dry_run, .sinks = sinks, .n_sinks = 1, .say = note_step, .ctx = text
	};
	if (repair_journal(&order, &sums, &err) != 0)
		fail_msg("%s", err.text);
	free(sums.aside);
	return text;
}

static void close_it(struct fixture *f)
{
	journal_close(f->j);
	f->j = NULL;
}

static void must_be_sound(struct fixture *f)
{
	struct found found = check(f, NULL);
	if (found.damages)
		fail_msg("still damaged:\n%s", found.text);
}

/* ---- Damaging */

static char *file_of(struct fixture *f, const char *part, uint64_t number, const char *suffix)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(number, suffix, name);
	return xasprintf("%s/%s/%s", f->path, part, name);
}

static void write_into(const char *path, uint64_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY);
	assert_true(fd != -1);
	assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
	close(fd);
}

static void flip(struct fixture *f, const char *part, uint64_t number, const char *suffix, uint64_t at)
{
	char *path = file_of(f, part, number, suffix);
	int fd = open(path, O_RDWR);
	unsigned char byte;
	assert_true(fd != -1);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x55;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
	free(path);
}

/* ---- What stands in it */

struct stood {
	struct journal_pos at;
	struct id id;
};
struct all {
	struct stood v[512];
	size_t n;
};

static struct all read_all(struct fixture *f)
{
	struct all all = { .n = 0 };
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = journal_start(f->j), at;
	struct journal_record r;
	struct err err;
	int rc;
	while ((rc = journal_read(reader, &pos, &r, &at, &err)) != 0)
		if (rc == 1 && r.kind == JOURNAL_EVENT)
			all.v[all.n++] = (struct stood){ at, r.id };
	journal_reader_close(reader);
	return all;
}

/* Is this where it was? */
static bool stands(const struct all *all, const struct stood *one)
{
	for (size_t i = 0; i < all->n; i++)
		if (memcmp(&all->v[i].id, &one->id, sizeof one->id) == 0)
			return journal_pos_cmp(all->v[i].at, one->at) == 0;
	return false;
}

static size_t missing(const struct all *before, const struct all *after)
{
	size_t n = 0;
	for (size_t i = 0; i < before->n; i++)
		n += !stands(after, &before->v[i]);
	return n;
}

static void open_sink(struct fixture *f, const char *name)
{
	struct journal_sink sink;
	struct err err;
	assert_int_equal(journal_sink_open(f->j, name, &sink, &err), 0);
	free((void *)(uintptr_t)sink.checkpoint.p);
}

/* Four finished segments and a bit of a fifth, one sink that has come to nothing yet. */
static struct all filled(struct fixture *f)
{
	open_sink(f, "s");
	fill(f, 4);
	for (int i = 0; i < 3; i++) {
		char key[32];
		snprintf(key, sizeof key, "last %d %d", i, (int)f->now_ns);
		struct journal_record r = record(f, key, "{}");
		assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	}
	reopen(f); /* all are indexed */
	return read_all(f);
}

static struct stood in_segment(const struct all *all, uint64_t number, size_t nth)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].at.hi == number && nth-- == 0)
			return all->v[i];
	fail_msg("no such record");
	return all->v[0];
}

/* ---- One class of bytes after the other */

static void test_a_sound_journal_is_sound(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	struct verify_sums sums;
	close_it(f);
	assert_int_equal(check(f, &sums).damages, 0);
	assert_int_equal(sums.events, all.n);
	assert_int_equal(sums.segments, 5);
	assert_int_equal(sums.sinks, 1);
	assert_string_equal(repair(f, false), "");
}

/* head: length, kind, key; texts; data; checksum */
static void test_a_damaged_record_costs_itself(void **state)
{
	struct fixture *f = *state;
	static const unsigned at[] = { 0, 8, 12, 16, 60, 143, 150, 170 };
	struct all all = filled(f);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct stood hit = in_segment(&all, 2, i % 8 + 2);
		char id[ID_TEXT_SIZE], place[64];
		close_it(f);
		flip(f, "events", 2, "seg", hit.at.lo + at[i]);
		struct found found = check(f, NULL);
		id_format(&hit.id, id);
		snprintf(place, sizeof place, "events/00000002.seg:%d-", (int)hit.at.lo);
		assert_int_equal(found.damages, 1);
		assert_non_null(strstr(found.text, place));
		assert_non_null(strstr(found.text, id)); /* the index knows */
		assert_non_null(strstr(found.text, "still owed to: s"));
		assert_non_null(strstr(repair(f, true), "00000002.seg"));
		assert_int_equal(check(f, NULL).damages, 1); /* a dry run */
		assert_non_null(strstr(repair(f, false), "00000002.seg"));
		must_be_sound(f);
		open_journal(f);
		struct all after = read_all(f);
		assert_int_equal(missing(&all, &after), 1);
		assert_false(stands(&after, &hit));
		all = after;
	}
}

static void test_a_damaged_header_costs_nothing(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	uint64_t last = journal_end(f->j).hi;
	for (uint64_t number = 1; number <= last; number += last - 1)
		for (unsigned at = 0; at < SEGMENT_HEADER_SIZE; at += 8) {
			if (number == last && at >= 24 && at < 32) /* the salt, which only the index has besides */
				continue;
			close_it(f);
			flip(f, "events", number, "seg", at);
			struct found found = check(f, NULL);
			assert_int_equal(found.damages, 1);
			assert_non_null(strstr(found.text, "the header is damaged; nothing is lost yet"));
			repair(f, false);
			must_be_sound(f);
			open_journal(f);
			struct all after = read_all(f);
			assert_int_equal(missing(&all, &after), 0);
		}
}

/* Its salt is gone, and no index has it: nothing in it can be proved. */
static void test_a_header_that_is_lost_is_taken_out(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	struct journal_pos end = journal_end(f->j);
	close_it(f);
	for (unsigned at = 24; at < 32; at++)
		flip(f, "events", end.hi, "seg", at);
	struct found found = check(f, NULL);
	assert_non_null(strstr(found.text, "how many is not known; still owed to: s"));
	assert_non_null(strstr(repair(f, false), "taken out"));
	must_be_sound(f);
	open_journal(f);
	assert_true(journal_end(f->j).hi > end.hi); /* no position is used twice */
	struct all after = read_all(f);
	size_t lost = 0;
	for (size_t i = 0; i < all.n; i++)
		lost += all.v[i].at.hi == end.hi;
	assert_int_equal(missing(&all, &after), lost);
	fill(f, 1);
}

static void test_a_torn_end_is_cut(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	struct journal_pos end = journal_end(f->j);
	char *path = file_of(f, "events", end.hi, "seg");
	close_it(f);
	write_into(path, end.lo, "half of a record", 16);
	struct found found = check(f, NULL);
	assert_int_equal(found.damages, 1);
	assert_non_null(strstr(found.text, "behind the last record"));
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
	struct all after = read_all(f);
	assert_int_equal(missing(&all, &after), 0);
	assert_int_equal(journal_pos_cmp(journal_end(f->j), end), 0);
	free(path);
}

static void test_a_finished_segment_that_is_cut(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	char *path = file_of(f, "events", 2, "seg");
	struct stood hit = in_segment(&all, 2, 6);
	close_it(f);
	assert_int_equal(truncate(path, (off_t)hit.at.lo + 40), 0);
	struct found found = check(f, NULL);
	assert_non_null(strstr(found.text, "missing at the end"));
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
	struct all after = read_all(f);
	for (size_t i = 0; i < all.n; i++)
		assert_int_equal(stands(&after, &all.v[i]), all.v[i].at.hi != 2 || all.v[i].at.lo < hit.at.lo);
	free(path);
}

static void test_a_segment_that_is_gone(void **state)
{
	struct fixture *f = *state;
	filled(f);
	char *path = file_of(f, "events", 3, "seg");
	close_it(f);
	unlink(path);
	struct found found = check(f, NULL);
	assert_int_equal(found.damages, 1);
	assert_non_null(
		strstr(found.text, "events/00000003.seg:0-0: is missing; its events are lost; still owed to: s"));
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
	read_all(f);
	free(path);
}

static void test_what_a_start_has_set_aside_is_put_back(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	close_it(f);
	flip(f, "events", 3, "seg", 3);
	open_journal(f); /* sets it aside */
	struct all without = read_all(f);
	assert_true(missing(&all, &without) > 0);
	close_it(f);
	assert_non_null(strstr(check(f, NULL).text, "00000003.bad"));
	assert_non_null(strstr(repair(f, false), "put back"));
	must_be_sound(f);
	open_journal(f);
	struct all after = read_all(f);
	assert_int_equal(missing(&all, &after), 0);
}

static void test_indexes(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	for (unsigned at = 0; at < 300; at += 43) {
		close_it(f);
		flip(f, "events", 2, "idx", at);
		struct found found = check(f, NULL);
		assert_int_equal(found.damages, 1);
		assert_non_null(strstr(found.text, "events/00000002.idx"));
		repair(f, false);
		must_be_sound(f);
		open_journal(f);
		struct all after = read_all(f);
		assert_int_equal(missing(&all, &after), 0);
	}
	char *path = file_of(f, "events", 2, "idx");
	close_it(f);
	unlink(path);
	struct found found = check(f, NULL);
	assert_int_equal(found.damages, 0);
	assert_int_equal(found.remarks, 1);
	free(path);
	path = file_of(f, "events", 1, "seg"); /* pruned */
	unlink(path);
	must_be_sound(f);
	flip(f, "events", 1, "idx", 100);
	assert_non_null(strstr(check(f, NULL).text, "its segment is gone"));
	repair(f, false);
	must_be_sound(f);
	free(path);
}

static void test_what_does_not_belong_is_a_remark(void **state)
{
	struct fixture *f = *state;
	filled(f);
	close_it(f);
	char *path = xasprintf("%s/events/notes.txt", f->path);
	fclose(fopen(path, "w"));
	struct found found = check(f, NULL);
	assert_int_equal(found.damages, 0);
	assert_non_null(strstr(found.text, "events/notes.txt"));
	free(path);
}

static void test_a_folder_of_a_sink_is_none(void **state)
{
	struct fixture *f = *state;
	filled(f);
	close_it(f);
	char *path = xasprintf("%s/export", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	struct found found = check(f, NULL);
	assert_int_equal(found.damages, 0);
	assert_int_equal(found.remarks, 0);
	free(path);
}

static void test_the_quarantine_is_read_too(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "", "posted by somebody");
	r.kind = JOURNAL_REFUSED;
	r.dedupe = PATCHBAY_DEDUPE_NONE;
	put(f, &r, NULL);
	put(f, &r, NULL);
	put(f, &r, NULL);
	struct verify_sums sums;
	close_it(f);
	flip(f, "quarantine", 1, "seg", 70);
	assert_non_null(strstr(check(f, &sums).text, "no event is"));
	assert_int_equal(sums.quarantine_records, 2);
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
}

/* ---- Deliveries */

static struct journal_settled settled(const struct stood *s, enum journal_act act, int64_t due_ms)
{
	return (struct journal_settled){
		.at = s->at, .id = s->id, .act = act, .attempt = 1, .due_ms = due_ms, .at_ms = 1000, .why = STR("busy")
	};
}

static void test_a_parked_delivery_whose_event_is_lost_is_a_dead_letter(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	struct stood hit = in_segment(&all, 2, 5), other = in_segment(&all, 2, 7);
	struct journal_settled v[] = { settled(&hit, JOURNAL_PARK, 5000), settled(&other, JOURNAL_PARK, 5000) };
	struct journal_pos end = journal_end(f->j);
	struct journal_sink_counts counts;
	struct journal_parked due[4];
	struct err err;
	int64_t next;
	assert_int_equal(journal_settle(f->j, "s", &end, v, 2, NULL, &err), 0);
	close_it(f);
	flip(f, "events", 2, "seg", hit.at.lo + 20);
	struct found found = check(f, NULL);
	assert_int_equal(found.damages, 2);
	assert_non_null(strstr(found.text, "1 delivery to 's' waits for another attempt, but the event is not there"));
	assert_non_null(strstr(found.text, "still owed to: s"));
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
	assert_int_equal(journal_sink_counts(f->j, "s", &counts, &err), 0);
	assert_int_equal(counts.dead, 1);
	assert_int_equal(counts.parked, 1);
	assert_int_equal(journal_due(f->j, "s", 6000, due, 4, &next, &err), 1);
	assert_int_equal(journal_pos_cmp(due[0].at, other.at), 0);
}

static void test_a_cursor_behind_the_end(void **state)
{
	struct fixture *f = *state;
	filled(f);
	struct journal_pos far = { journal_end(f->j).hi + 3, 64 };
	struct err err;
	assert_int_equal(journal_settle(f->j, "s", &far, NULL, 0, NULL, &err), 0);
	close_it(f);
	assert_non_null(strstr(check(f, NULL).text, "has seen events up to"));
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
	assert_true(journal_pos_cmp(journal_end(f->j), far) >= 0);
}

static int64_t number_of(struct fixture *f, const char *sql)
{
	char *path = xasprintf("%s/state.db", f->path);
	sqlite3 *db;
	sqlite3_stmt *q;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	free(path);
	return n;
}

/* Each page of the database in turn is garbage. */
static void test_a_damaged_database_keeps_what_can_be_read(void **state)
{
	struct fixture *f = *state;
	enum { N = 400 };
	filled(f);
	open_sink(f, "t");
	for (uint64_t i = 0; i < N; i++) {
		struct err err;
		struct journal_settled v = {
			.at = { 1, 64 + i * 8 },
			.act = JOURNAL_DEAD,
			.attempt = 2,
			.class_ = "event",
			.at_ms = 1000,
			.why = STR("a reason that takes some room, so that there are several pages")
		};
		memcpy(v.id.b, &i, sizeof i);
		assert_int_equal(journal_settle(f->j, "t", NULL, &v, 1, NULL, &err), 0);
	}
	close_it(f);
	char *path = xasprintf("%s/state.db", f->path), *whole = xasprintf("%s/whole", f->path);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	char *bytes = xmalloc((size_t)st.st_size), garbage[4096];
	FILE *file = fopen(path, "rb");
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);
	fclose(file);
	memset(garbage, 0xa5, sizeof garbage);
	int64_t saved = 0, most = 0;
	for (int64_t page = 0; page < st.st_size / 4096; page++) {
		unlink(path);
		file = fopen(path, "wb");
		assert_int_equal(fwrite(bytes, 1, (size_t)st.st_size, file), st.st_size);
		fclose(file);
		write_into(path, (uint64_t)page * 4096, garbage, sizeof garbage);
		struct found found = check(f, NULL);
		repair(f, false);
		if (found.damages) /* a page may be free */
			must_be_sound(f);
		open_journal(f);
		assert_int_equal(number_of(f, "SELECT count(*) FROM sinks WHERE name IN ('s', 't')") >= 1, 1);
		saved = number_of(f, "SELECT count(*) FROM exceptions");
		most = saved > most && found.damages ? saved : most;
		close_it(f);
	}
	assert_true(most > N / 2);
	free(bytes);
	free(path);
	free(whole);
}

/* A repair that fails, since the disk is full, say, leaves the old one where it is: without it a daemon would start,
 * and owe nobody anything. The next repair saves as much of it. */
static void test_a_database_stays_until_the_new_one_is_there(void **state)
{
	struct fixture *f = *state;
	filled(f);
	open_sink(f, "t");
	close_it(f);
	char *path = xasprintf("%s/state.db", f->path), *made = xasprintf("%s.new", path),
	     *in_it = xasprintf("%s/file", made), text[8192] = "";
	edit(f, "INSERT INTO sinks(name, cursor, checkpoint, kept) VALUES('far', 77, x'', 1); PRAGMA user_version = 0");
	assert_int_equal(mkdir(made, 0700), 0); /* no database can be made there */
	fclose(fopen(in_it, "w"));
	const struct repair_order order = { .path = f->path, .say = note_step, .ctx = text };
	struct repair_sums sums;
	struct err err = { "" };
	assert_int_equal(repair_journal(&order, &sums, &err), -1);
	free(sums.aside);
	assert_int_equal(access(path, F_OK), 0);
	unlink(in_it);
	rmdir(made);
	repair(f, false);
	must_be_sound(f);
	assert_int_equal(number_of(f, "SELECT cursor FROM sinks WHERE name = 'far'"), 77);
	open_journal(f);
	free(path);
	free(made);
	free(in_it);
}

static void test_a_database_that_is_gone_owes_everything(void **state)
{
	struct fixture *f = *state;
	struct all all = filled(f);
	char *path = xasprintf("%s/state.db", f->path);
	struct journal_sink sink;
	struct err err;
	close_it(f);
	unlink(path);
	assert_non_null(strstr(check(f, NULL).text, "state.db:0-0: is missing"));
	repair(f, false);
	must_be_sound(f);
	open_journal(f);
	assert_int_equal(journal_sink_open(f->j, "s", &sink, &err), 0);
	assert_false(sink.fresh);
	assert_true(journal_pos_cmp(sink.cursor, all.v[0].at) <= 0);
	free((void *)(uintptr_t)sink.checkpoint.p);
	free(path);
}

/* ---- Who else is there */

static void test_nothing_is_repaired_beside_a_daemon(void **state)
{
	struct fixture *f = *state;
	struct repair_sums sums;
	struct verify_sums seen;
	struct err err = { "" };
	char text[8192] = "";
	filled(f);
	assert_int_equal(check(f, &seen).damages, 0);
	assert_true(seen.running);
	const struct repair_order order = { .path = f->path, .say = note_step, .ctx = text };
	assert_int_equal(repair_journal(&order, &sums, &err), -1);
	assert_non_null(strstr(err.text, "in use by another patchbay"));
}

/* A later release has other segments: not one byte of them, or beside them, is touched. */
static void test_a_later_format_is_left_alone(void **state)
{
	struct fixture *f = *state;
	filled(f);
	uint64_t last = journal_end(f->j).hi;
	struct journal_pos end = journal_end(f->j);
	close_it(f);
	char *path = file_of(f, "events", last, "seg"), *torn = file_of(f, "events", last - 1, "pre");
	struct err err = { "" };
	struct repair_sums sums;
	struct segment_header h;
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &h, sizeof h, 0), sizeof h);
	h.magic[7] = 2;
	h.salt ^= 7; /* its records are not ours */
	h.checksum = 12345;
	assert_int_equal(pwrite(fd, &h, sizeof h, 0), sizeof h);
	assert_int_equal(pwrite(fd, "torn", 4, (off_t)end.lo), 4);
	fclose(fopen(torn, "w"));
	struct journal_options o = { .path = f->path, .segment_bytes = 4096, .dedupe_window_ms = 1 };
	assert_null(journal_open(&o, &err));
	assert_non_null(strstr(err.text, "has format 2, this program reads 1: it was written by a newer Patchbay"));
	assert_null(journal_open_reader(f->path, &err));
	assert_non_null(strstr(err.text, "newer Patchbay"));
	char text[8192] = "";
	const struct repair_order order = { .path = f->path, .say = note_step, .ctx = text };
	assert_int_equal(repair_journal(&order, &sums, &err), -1);
	assert_non_null(strstr(err.text, "later format"));
	assert_non_null(strstr(check(f, NULL).text, "is of a later format"));
	char back[4];
	assert_int_equal(pread(fd, back, 4, (off_t)end.lo), 4);
	assert_memory_equal(back, "torn", 4);
	assert_int_equal(access(torn, F_OK), 0);
	h.magic[7] = 1;
	h.salt ^= 7;
	segment_seal(&h);
	assert_int_equal(pwrite(fd, &h, sizeof h, 0), sizeof h);
	close(fd);
	edit(f, "PRAGMA user_version = 1000");
	assert_null(journal_open(&o, &err));
	assert_non_null(strstr(err.text, "has version 1000"));
	assert_int_equal(access(torn, F_OK), 0); /* the state is looked at before anything is tidied */
	char restored[64];
	snprintf(restored, sizeof restored, "PRAGMA user_version = %d", state_version_known());
	edit(f, restored);
	open_journal(f);
	free(path);
	free(torn);
}

/* ---- At random */

static uint64_t rng;

static uint64_t draw(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

struct hit {
	uint64_t segment, from, to;
};

static bool is_hit(const struct stood *s, uint64_t size, const struct hit *hits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hits[i].segment == s->at.hi && hits[i].from < s->at.lo + size && hits[i].to > s->at.lo)
			return true;
	return false;
}

/* Garbage, zeros, a shift of bytes, or an end that is missing. */
static struct hit damage(struct fixture *f, const char *suffix)
{
	struct hit hit = { .segment = 1 + draw(5) };
	char *path = file_of(f, "events", hit.segment, suffix), bytes[700];
	struct stat st;
	if (stat(path, &st) == 0 && st.st_size > 0) {
		hit.from = draw((uint64_t)st.st_size);
		size_t n = 1 + draw(draw(4) ? 16 : sizeof bytes - 1);
		if ((uint64_t)st.st_size - hit.from < n)
			n = (size_t)((uint64_t)st.st_size - hit.from);
		hit.to = hit.from + n;
		for (size_t i = 0; i < n; i++)
			bytes[i] = draw(3) ? (char)draw(256) : 0;
		if (draw(8) == 0) {
			assert_int_equal(truncate(path, (off_t)hit.from), 0);
			hit.to = UINT64_MAX;
		} else {
			write_into(path, hit.from, bytes, n);
		}
	}
	free(path);
	return hit;
}

static void test_random_damage(void **state)
{
	struct fixture *f = *state;
	const char *seed = getenv("PATCHBAY_TEST_SEED");
	const char *rounds = getenv("PATCHBAY_TEST_ROUNDS"); /* for a night */
	uint64_t n_rounds = rounds ? strtoull(rounds, NULL, 10) : 12;
	uint64_t base = seed ? strtoull(seed, NULL, 10) : 20261129;
	for (uint64_t round = 0; round < n_rounds; round++) {
		rng = (base + round) * UINT64_C(0x9e3779b97f4a7c15) | 1;
		struct all all = filled(f);
		struct journal_pos end = journal_end(f->j);
		struct hit hits[6];
		size_t n = 1 + draw(5), size_of[512];
		for (size_t i = 0; i < all.n; i++)
			size_of[i] = i + 1 < all.n && all.v[i + 1].at.hi == all.v[i].at.hi
					     ? all.v[i + 1].at.lo - all.v[i].at.lo
					     : 512;
		close_it(f);
		for (size_t i = 0; i < n; i++) {
			bool index = draw(5) == 0;
			hits[i] = damage(f, index ? "idx" : "seg");
			if (index) /* then a header's salt may be lost for good */
				hits[i] = (struct hit){ 0 };
		}
		if (is_hit(&(struct stood){ .at = { end.hi, 7 } }, 1, hits, n)) /* it may look like a later format */
			goto next;
		repair(f, true);
		repair(f, false);
		struct found found = check(f, NULL);
		if (found.damages)
			fail_msg("seed %" PRIu64 ", round %" PRIu64 ": still damaged:\n%s", base, round, found.text);
		open_journal(f);
		struct all after = read_all(f);
		for (size_t i = 0; i < all.n; i++) {
			struct stood salt = { .at = { all.v[i].at.hi, 24 } };
			/* what nothing has hit, in a segment whose salt nothing has hit, is where it was */
			if (!is_hit(&all.v[i], size_of[i], hits, n) && !is_hit(&salt, 8, hits, n) &&
			    !stands(&after, &all.v[i]))
				fail_msg("seed %" PRIu64 ", round %" PRIu64 ": the record at %" PRIu64 ":%" PRIu64
					 " is lost",
					 base, round, all.v[i].at.hi, all.v[i].at.lo);
		}
		for (size_t i = 0; i < after.n; i++)
			assert_true(stands(&all, &after.v[i])); /* and nothing was made up */
		assert_true(journal_end(f->j).hi >= end.hi);
		fill(f, 1);
	next:
		teardown(state);
		setup(state);
		f = *state;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	if (access("/dev/shm", W_OK) == 0) /* nothing here is about the disk, and much is synced */
		setenv("TMPDIR", "/dev/shm", 0);
	const struct CMUnitTest tests[] = {
		TEST(test_a_sound_journal_is_sound),
		TEST(test_a_damaged_record_costs_itself),
		TEST(test_a_damaged_header_costs_nothing),
		TEST(test_a_header_that_is_lost_is_taken_out),
		TEST(test_a_torn_end_is_cut),
		TEST(test_a_finished_segment_that_is_cut),
		TEST(test_a_segment_that_is_gone),
		TEST(test_what_a_start_has_set_aside_is_put_back),
		TEST(test_indexes),
		TEST(test_what_does_not_belong_is_a_remark),
		TEST(test_a_folder_of_a_sink_is_none),
		TEST(test_the_quarantine_is_read_too),
		TEST(test_a_parked_delivery_whose_event_is_lost_is_a_dead_letter),
		TEST(test_a_cursor_behind_the_end),
		TEST(test_a_damaged_database_keeps_what_can_be_read),
		TEST(test_a_database_stays_until_the_new_one_is_there),
		TEST(test_a_database_that_is_gone_owes_everything),
		TEST(test_nothing_is_repaired_beside_a_daemon),
		TEST(test_a_later_format_is_left_alone),
		TEST(test_random_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
