/* journal_fixture.h - a journal in a temporary folder, and short ways to put records into it. */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include "base/clock.h"
#include "base/mem.h"
#include "journal/journal.h"
#include "temp_dir.h"

#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char *path;
	struct journal *j;
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct journal_ticket *back; /* lock */
	int64_t now_ns;
};

static inline void decided(void *ctx, struct journal_ticket *list)
{
	struct fixture *f = ctx;
	pthread_mutex_lock(&f->lock);
	while (list) {
		struct journal_ticket *t = list;
		list = t->next;
		t->next = f->back;
		f->back = t;
	}
	pthread_cond_signal(&f->came);
	pthread_mutex_unlock(&f->lock);
}

static inline void open_journal(struct fixture *f)
{
	struct journal_options o = { .path = f->path,
				     .retention_age_ms = INT64_C(30) * 86400000,
				     .retention_bytes = INT64_C(1) << 30,
				     .quarantine_bytes = 1 << 20,
				     .dedupe_window_ms = 86400000,
				     .segment_bytes = 4096,
				     .decided = decided,
				     .ctx = f };
	struct err err = { "" };
	f->j = journal_open(&o, &err);
	if (!f->j)
		fail_msg("%s", err.text);
}

static inline void reopen(struct fixture *f)
{
	journal_close(f->j);
	open_journal(f);
}

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	f->path = temp_dir_make();
	f->now_ns = clock_wall_ns();
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->came, NULL);
	open_journal(f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	journal_close(f->j);
	temp_dir_remove(f->path);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->came);
	free(f);
	return 0;
}

static inline void wait_back(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->back)
		pthread_cond_wait(&f->came, &f->lock);
	f->back = f->back->next;
	pthread_mutex_unlock(&f->lock);
}

static inline struct journal_record record(struct fixture *f, const char *key, const char *data)
{
	f->now_ns += NS_PER_MS;
	return (struct journal_record){ .id = id_new(f->now_ns),
					.kind = JOURNAL_EVENT,
					.dedupe = PATCHBAY_DEDUPE_KEY,
					.received_ns = f->now_ns,
					.source = STR("fleet"),
					.plugin = STR("p"),
					.type = STR("t"),
					.kind_name = STR("k"),
					.key = str_c(key),
					.data = str_c(data) };
}

static inline void append(struct fixture *f, struct journal_ticket *t, const struct journal_record *r)
{
	t->records.n = 0;
	t->next = NULL;
	t->n = 1;
	t->late_ms = 3000;
	t->horizon_s = 27000;
	journal_encode(&t->records, r);
	assert_true(journal_append(f->j, t));
	wait_back(f);
}

static inline enum journal_outcome put(struct fixture *f, const struct journal_record *r, struct id *ret)
{
	struct journal_ticket t = { 0 };
	append(f, &t, r);
	if (ret)
		*ret = t.id;
	buf_free(&t.records);
	return t.outcome;
}

/* Until `n` more segments were begun. */
static inline void fill(struct fixture *f, unsigned n)
{
	static int number;
	uint64_t until = journal_end(f->j).hi + n;
	while (journal_end(f->j).hi < until) {
		char key[32];
		snprintf(key, sizeof key, "filler %d", number++);
		struct journal_record r = record(f, key, "{\"some\":\"data\"}");
		assert_int_equal(put(f, &r, NULL), JOURNAL_FRESH);
	}
}

static inline size_t count(struct fixture *f, uint8_t kind)
{
	struct journal_reader *reader = journal_reader_open(f->j);
	struct journal_pos pos = journal_start(f->j);
	struct journal_record r;
	struct err err;
	size_t n = 0;
	int rc;
	while ((rc = journal_read(reader, &pos, &r, NULL, &err)) == 1)
		n += r.kind == kind;
	assert_int_equal(rc, 0);
	journal_reader_close(reader);
	return n;
}

/* Behind the journal's back. */
static inline void edit(struct fixture *f, const char *sql)
{
	char *path = xasprintf("%s/state.db", f->path);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000); /* the housekeeper may be at it */
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	free(path);
}

/* Nothing can be opened any more; returns what to setrlimit(RLIMIT_NOFILE) to. */
static inline struct rlimit use_up_descriptors(void)
{
	struct rlimit old, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	int lowest = dup(0);
	close(lowest);
	none = old;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return old;
}

#endif
