/* The journals that released versions wrote (tests/journal/) are opened by this one: their events are read, repeats of
 * them known, what is owed and what was given up is what it was; and so with earlier versions of state.db. */
#include "journal_fixture.h"

#include "journal/verify.h"

#include <glob.h>
#include <sys/stat.h>

#define CENTURY_MS (INT64_C(36500) * 86400000)

struct expected {
	int events, refused, parked, dead;
};

static void make_folder(const char *format, ...)
{
	char path[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(path, sizeof path, format, ap);
	va_end(ap);
	if (mkdir(path, 0750) != 0)
		fail_msg("cannot make %s", path);
}

/* "NN...", or "NN...*7": seven times */
static void write_hex(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "wb");
	char line[256];
	assert_non_null(in);
	assert_non_null(out);
	while (fgets(line, sizeof line, in)) {
		char *times = strchr(line, '*');
		for (int n = times ? atoi(times + 1) : 1; n > 0; n--)
			for (unsigned i = 0, byte; sscanf(line + i, "%2x", &byte) == 1; i += 2)
				fputc((int)byte, out);
	}
	fclose(in);
	fclose(out);
}

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 1 << 20);
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static void write_log(struct fixture *f, const char *format, const char *part)
{
	char *pattern = xasprintf("%s/%s/*.hex", format, part);
	glob_t found;
	make_folder("%s/%s", f->path, part);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;
		char *to = xasprintf("%s/%s/%.*s", f->path, part, (int)(strlen(name) - strlen(".hex")), name);
		write_hex(found.gl_pathv[i], to);
		free(to);
	}
	globfree(&found);
	free(pattern);
}

/* Makes the journal of a release; `then` is run on its database. */
static struct expected take(struct fixture *f, const char *format, const char *then)
{
	struct expected e;
	char *name = xasprintf("%s/state.sql", format), *sql = read_text(name);
	journal_close(f->j);
	f->j = NULL;
	temp_dir_remove(f->path);
	f->path = temp_dir_make();
	write_log(f, format, "events");
	write_log(f, format, "quarantine");
	edit(f, sql);
	edit(f, then);
	free(sql);
	free(name);
	name = xasprintf("%s/expected", format);
	sql = read_text(name);
	assert_int_equal(
		sscanf(sql, "events %d refused %d parked %d dead %d", &e.events, &e.refused, &e.parked, &e.dead), 4);
	free(sql);
	free(name);
	return e;
}

static void open_it(struct fixture *f)
{
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = CENTURY_MS,
				     .retention_bytes = INT64_C(1) << 30,
				     .quarantine_bytes = 1 << 20,
				     .dedupe_window_ms = CENTURY_MS,
				     .decided = decided,
				     .ctx = f };
	struct err err = { "" };
	f->j = journal_open(&o, &err);
	if (!f->j)
		fail_msg("%s", err.text);
}

static void tell(void *ctx, const struct verify_fault *fault)
{
	(void)ctx;
	if (fault->damage)
		fail_msg("%s: %s", fault->file, fault->what);
}

static void must_be_sound(struct fixture *f, const struct expected *e)
{
	struct verify_sums sums;
	struct err err;
	assert_int_equal(verify_journal(f->path, tell, NULL, &sums, &err), 0);
	assert_int_equal(sums.events, e->events);
	assert_int_equal(sums.quarantine_records, e->refused);
	assert_int_equal(sums.parked, e->parked);
	assert_int_equal(sums.dead, e->dead);
}

static bool count_dead(void *ctx, const struct journal_dead *dead)
{
	assert_int_equal(dead->state, JOURNAL_STATE_DEAD);
	++*(int *)ctx;
	return true;
}

/* Each event that has a key is known by it; each record stands where the deliveries say. */
static void must_know_its_events(struct fixture *f, const struct expected *e)
{
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = journal_start(f->j), end = journal_end(f->j);
	struct journal_record r;
	struct err err;
	int n = 0, keys = 0;
	while (journal_read(reader, &pos, &r, NULL, &err) == 1 && journal_pos_cmp(pos, end) <= 0) {
		n += r.kind == JOURNAL_EVENT;
		if (r.kind != JOURNAL_EVENT || r.dedupe != PATCHBAY_DEDUPE_KEY)
			continue;
		struct journal_record again = r;
		struct id id, first = r.id;
		again.id = id_new(f->now_ns += NS_PER_MS);
		again.received_ns = f->now_ns;
		assert_int_equal(put(f, &again, &id), JOURNAL_DUP);
		assert_memory_equal(&id, &first, sizeof id);
		keys++;
	}
	assert_int_equal(n, e->events);
	assert_true(keys > n / 2);
	journal_reader_close(reader);
}

static void must_owe(struct fixture *f, const struct expected *e)
{
	struct journal_sink sink;
	struct journal_parked due[64];
	struct err err;
	int64_t next;
	int dead = 0;
	assert_int_equal(journal_dead(f->j, &(struct journal_dead_filter){ 0 }, count_dead, &dead, &err), 0);
	assert_int_equal(dead, e->dead);
	assert_int_equal(journal_due(f->j, "some", INT64_MAX / 2, due, 64, &next, &err), e->parked);
	struct journal_reader *reader = journal_reader_open(f->j);
	for (int i = 0; i < e->parked; i++) {
		struct journal_record r;
		assert_int_equal(journal_read_at(reader, due[i].at, &r, &err), 1);
		assert_memory_equal(&r.id, &due[i].id, sizeof r.id);
	}
	journal_reader_close(reader);
	assert_int_equal(journal_sink_open(f->j, "done", &sink, &err), 0);
	assert_true(sink.checkpoint.n > 0);
	free((void *)(uintptr_t)sink.checkpoint.p);
	assert_int_equal(journal_sink_open(f->j, "down", &sink, &err), 0); /* its destination never worked */
	assert_false(sink.fresh);
	assert_true(journal_pos_cmp(sink.cursor, journal_end(f->j)) < 0);
	free((void *)(uintptr_t)sink.checkpoint.p);
}

static void test_every_released_format_opens(void **state)
{
	static const char *const versions[] = { "", /* as that release wrote it, and as if it was older */
						"DROP TABLE crashed; PRAGMA user_version = 3",
						"DROP TABLE crashed; DROP TABLE polled; PRAGMA user_version = 2" };
	struct fixture *f = *state;
	glob_t formats;
	assert_int_equal(glob(SOURCE_DIR "/tests/journal/format-*", 0, NULL, &formats), 0);
	for (size_t i = 0; i < formats.gl_pathc; i++)
		for (size_t k = 0; k < sizeof versions / sizeof *versions; k++) {
			if (k && !strstr(formats.gl_pathv[i], "format-0.1.0"))
				continue;
			struct expected e = take(f, formats.gl_pathv[i], versions[k]);
			must_be_sound(f, &e);
			open_it(f);
			must_owe(f, &e);
			must_know_its_events(f, &e);
			journal_close(f->j);
			f->j = NULL;
			must_be_sound(f, &e);
		}
	globfree(&formats);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_every_released_format_opens) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
