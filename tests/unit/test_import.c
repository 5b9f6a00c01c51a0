/* An import that is cut off between two of its steps, as kill -9 does it: none of its records is owed to anybody. */
#include "journal/import.h"
#include "journal_fixture.h"

static void see(void *ctx, const struct journal_delivery_state *d)
{
	enum journal_state *ret = ctx;
	if (strcmp(d->sink, "behind") == 0)
		*ret = d->state;
}

static enum journal_state state_behind(struct fixture *f, struct journal_pos at, const struct id *id)
{
	enum journal_state found = JOURNAL_STATE_OWED;
	struct err err;
	assert_int_equal(journal_deliveries(f->j, at, id, see, &found, &err), 0);
	return found;
}

static void count_note(void *ctx, const struct journal_note *note)
{
	(void)note;
	++*(size_t *)ctx;
}

static struct journal_pos cursor_of(struct fixture *f, const char *name)
{
	struct journal_sink sink;
	struct err err = { "" };
	if (journal_sink_open(f->j, name, &sink, &err) != 0)
		fail_msg("%s", err.text);
	free((void *)(uintptr_t)sink.checkpoint.p);
	return sink.cursor;
}

/* The state as it stood before the import settled its records, which are in the log: put back under it. */
static void test_what_it_had_taken_in_is_owed_to_nobody(void **state)
{
	enum { N = 600 };
	struct fixture *f = *state;
	struct import_sums sums;
	struct err err = { "" };
	char begin[48];
	cursor_of(f, "behind");
	struct journal_record own = record(f, "own", "{}");
	put(f, &own, NULL);
	cursor_of(f, "idle"); /* it begins at the end */
	struct journal_pos from = journal_end(f->j), behind = cursor_of(f, "behind");
	journal_close(f->j);
	const struct import_order order = { .path = f->path, .retention_bytes = UINT64_C(1) << 30 };
	struct import *im = import_open(&order, &err);
	assert_non_null(im);
	struct id ids[N];
	for (size_t i = 0; i < N; i++) {
		char key[32];
		snprintf(key, sizeof key, "imported %zu", i);
		struct journal_record r = record(f, key, "{}");
		ids[i] = r.id;
		assert_int_equal(import_add(im, &r, &err), 0);
	}
	assert_int_equal(import_close(im, true, &sums, &err), 0);
	assert_int_equal(sums.imported, N);

	open_journal(f);
	size_t notes = 0;
	assert_int_equal(journal_notes(f->j, count_note, &notes, &err), 0);
	assert_int_equal(notes, 0); /* it has ended, and knows */
	journal_close(f->j);
	f->j = NULL;
	char *sql = xasprintf(
		"DELETE FROM exceptions; DELETE FROM attempts; UPDATE sinks SET cursor = %llu WHERE name = 'idle'",
		(unsigned long long)(from.hi << 32 | from.lo));
	edit(f, sql);
	free(sql);
	snprintf(begin, sizeof begin, "%llu %llu", (unsigned long long)from.hi, (unsigned long long)from.lo);
	sql = xasprintf("INSERT INTO notes VALUES('import', '%s')", begin);
	edit(f, sql);
	free(sql);

	open_journal(f);
	assert_int_equal(journal_pos_cmp(cursor_of(f, "idle"), journal_end(f->j)), 0);
	assert_int_equal(journal_pos_cmp(cursor_of(f, "behind"), behind), 0);
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = journal_start(f->j), at;
	struct journal_record r;
	size_t seen = 0;
	while (journal_read(reader, &pos, &r, &at, &err) == 1) {
		if (r.kind != JOURNAL_EVENT)
			continue;
		bool imported = journal_pos_cmp(at, from) >= 0;
		assert_int_equal(state_behind(f, at, &r.id), imported ? JOURNAL_STATE_SKIPPED : JOURNAL_STATE_OWED);
		if (imported)
			assert_memory_equal(&r.id, &ids[seen++], sizeof r.id);
	}
	journal_reader_close(reader);
	assert_int_equal(seen, N);
	notes = 0;
	assert_int_equal(journal_notes(f->j, count_note, &notes, &err), 0);
	assert_int_equal(notes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_it_had_taken_in_is_owed_to_nobody, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
