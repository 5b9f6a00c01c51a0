/* What became of deliveries: settling in any order, taking turns, dead letters, replay, older versions of the database.
 */
#include "journal_fixture.h"

#include <unistd.h>

static struct err err;

#define OK(call)                                                                                                       \
	do {                                                                                                           \
		err.text[0] = '\0';                                                                                    \
		if ((call) != 0)                                                                                       \
			fail_msg("%s", err.text);                                                                      \
	} while (0)

static struct journal_pos at(uint64_t n)
{
	return (struct journal_pos){ 1, 64 + n * 8 };
}

static struct id id_of(uint64_t n)
{
	struct id id = { { 0 } };
	memcpy(id.b, &n, sizeof n);
	return id;
}

static struct journal_settled item(uint64_t n, enum journal_act act)
{
	return (struct journal_settled){ .at = at(n),
					 .id = id_of(n),
					 .act = act,
					 .attempt = 1,
					 .at_ms = 1000,
					 .why = act == JOURNAL_DONE ? STR("") : STR("why"),
					 .class_ = act == JOURNAL_DEAD ? "event" : NULL };
}

static void settle(struct fixture *f, const struct journal_settled *v, size_t n)
{
	OK(journal_settle(f->j, "s", NULL, v, n, NULL, &err));
}

static void settle_one(struct fixture *f, struct journal_settled v)
{
	settle(f, &v, 1);
}

static void open_sink(struct fixture *f)
{
	struct journal_sink sink;
	OK(journal_sink_open(f->j, "s", &sink, &err));
	free((void *)(uintptr_t)sink.checkpoint.p);
}

static void move_cursor(struct fixture *f, uint64_t n)
{
	struct journal_pos pos = at(n);
	OK(journal_settle(f->j, "s", &pos, NULL, 0, NULL, &err));
}

struct seen {
	struct journal_delivery_state d;
	char class_[32], why[128];
};

static void see(void *ctx, const struct journal_delivery_state *d)
{
	struct seen *seen = ctx;
	seen->d = *d;
	snprintf(seen->class_, sizeof seen->class_, "%s", d->class_);
	snprintf(seen->why, sizeof seen->why, "%s", d->why);
}

static struct seen state_of(struct fixture *f, uint64_t n)
{
	struct seen seen = { .d = { .attempts = 0 } };
	struct id id = id_of(n);
	OK(journal_deliveries(f->j, at(n), &id, see, &seen, &err));
	return seen;
}

struct history {
	char text[512];
};

static void add_attempt(void *ctx, const struct journal_attempt *a)
{
	struct history *h = ctx;
	size_t n = strlen(h->text);
	snprintf(h->text + n, sizeof h->text - n, "%s%u %s", n ? ", " : "", a->number, a->result);
}

static const char *history(struct fixture *f, uint64_t n)
{
	static struct history h;
	struct id id = id_of(n);
	h.text[0] = '\0';
	OK(journal_attempts(f->j, &id, add_attempt, &h, &err));
	return h.text;
}

/* "3 7": numbers of what is due */
static const char *due(struct fixture *f, int64_t now_ms, int64_t *ret_next)
{
	static char text[256];
	struct journal_parked v[16];
	int64_t next;
	int n = journal_due(f->j, "s", now_ms, v, 16, &next, &err);
	assert_true(n >= 0);
	text[0] = '\0';
	for (int i = 0; i < n; i++)
		sprintf(text + strlen(text), "%s%d", i ? " " : "", (int)(v[i].at.lo - 64) / 8);
	if (ret_next)
		*ret_next = next;
	return text;
}

/* ---- Any order */

static void test_batches_that_interleave_are_found_event_by_event(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	enum { N = 300, WORKERS = 3 };
	for (int worker = WORKERS; worker-- > 0;) { /* the later ones first */
		struct journal_settled v[N];
		size_t n = 0;
		for (uint64_t i = (uint64_t)worker; i < N; i += WORKERS)
			if (i % 10 != 9) /* not routed */
				v[n++] = item(i, JOURNAL_DONE);
		settle(f, v, n);
	}
	for (int again = 0; again < 2; again++) {
		for (uint64_t i = 0; i < N; i++)
			assert_int_equal(state_of(f, i).d.state, i % 10 == 9 ? JOURNAL_STATE_OWED : JOURNAL_STATE_DONE);
		reopen(f);
	}
}

static void test_a_batch_never_overwrites_another(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled v[] = { item(1, JOURNAL_DONE), item(2, JOURNAL_DONE), item(3, JOURNAL_DONE) };
	struct journal_settled again[] = { item(1, JOURNAL_DONE), item(4, JOURNAL_DONE) };
	settle(f, v, 3);
	settle(f, again, 2);
	settle(f, again, 2);
	move_cursor(f, 9);
	for (uint64_t i = 1; i < 5; i++)
		assert_int_equal(state_of(f, i).d.state, JOURNAL_STATE_DONE);
	assert_int_equal(state_of(f, 5).d.state, JOURNAL_STATE_NOT_ROUTED);
}

/* Events of a batch may stand far apart, where few are routed to a sink. */
static void test_a_batch_over_much_of_a_segment(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	const uint64_t far = UINT64_C(40) << 20 >> 3;
	struct journal_settled v[] = { item(0, JOURNAL_DONE), item(far, JOURNAL_DONE), item(far + 5, JOURNAL_DONE) };
	settle(f, v, 3);
	for (uint64_t i = 1; i < 50; i++)
		settle_one(f, item(far - i * 100, JOURNAL_DONE));
	move_cursor(f, far + 10);
	assert_int_equal(state_of(f, 0).d.state, JOURNAL_STATE_DONE);
	assert_int_equal(state_of(f, far).d.state, JOURNAL_STATE_DONE);
	assert_int_equal(state_of(f, far + 5).d.state, JOURNAL_STATE_DONE);
	assert_int_equal(state_of(f, far - 4900).d.state, JOURNAL_STATE_DONE);
	assert_int_equal(state_of(f, far - 4901).d.state, JOURNAL_STATE_NOT_ROUTED);
}

static void assert_ahead(struct fixture *f, uint64_t from, const char *want)
{
	struct journal_pos *v;
	size_t n;
	char text[256] = "";
	OK(journal_settled_ahead(f->j, "s", at(from), &v, &n, &err));
	for (size_t i = 0; i < n; i++)
		sprintf(text + strlen(text), "%s%d", i ? " " : "", (int)(v[i].lo - 64) / 8);
	free(v);
	assert_string_equal(text, want);
}

static void test_what_is_settled_ahead_of_the_cursor(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	assert_ahead(f, 0, "");
	struct journal_settled late[] = { item(5, JOURNAL_DONE), item(7, JOURNAL_PARK), item(9, JOURNAL_DEAD),
					  item(11, JOURNAL_SKIP) };
	struct journal_settled early[] = { item(2, JOURNAL_DONE), item(4, JOURNAL_DONE), item(8, JOURNAL_DONE),
					   item(12, JOURNAL_NOTE) };
	settle(f, late, 4);
	settle(f, early, 4);
	assert_ahead(f, 0, "2 4 5 7 8 9 11");
	assert_ahead(f, 3, "4 5 7 8 9 11");
	assert_ahead(f, 8, "8 9 11");
	assert_ahead(f, 12, "");
	/* what was parked and then done is there once */
	struct journal_settled done = item(7, JOURNAL_DONE);
	done.was_parked = true;
	settle_one(f, done);
	reopen(f);
	assert_ahead(f, 6, "7 8 9 11");
}

/* ---- Notes */

static void test_a_note_is_an_attempt_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	for (int i = 0; i < 3; i++) /* within one millisecond */
		settle_one(f, item(1, JOURNAL_NOTE));
	assert_int_equal(state_of(f, 1).d.state, JOURNAL_STATE_OWED);
	assert_string_equal(due(f, INT64_MAX - 1, NULL), "");
	assert_string_equal(history(f, 1), "1 failed, 1 failed, 1 failed");
	struct journal_settled v = item(1, JOURNAL_PARK);
	v.attempt = 4;
	v.due_ms = 5000;
	settle_one(f, v);
	settle_one(f, item(1, JOURNAL_NOTE));
	assert_int_equal(state_of(f, 1).d.state, JOURNAL_STATE_PARKED);
	assert_string_equal(due(f, 5000, NULL), "1");
	v = item(1, JOURNAL_DONE);
	v.attempt = 5;
	v.at_ms = 6000;
	v.was_parked = true;
	settle_one(f, v);
	assert_string_equal(history(f, 1), "1 failed, 4 retry, 1 failed, 1 failed, 1 failed, 5 done");
	assert_int_equal(state_of(f, 1).d.attempts, 5);
}

static void test_what_a_sink_says_of_a_success_is_kept(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled v[] = { item(1, JOURNAL_DONE), item(2, JOURNAL_DONE), item(3, JOURNAL_DONE) };
	v[1].why = STR("Location: /awards/7");
	settle(f, v, 3);
	for (uint64_t i = 1; i < 4; i++)
		assert_int_equal(state_of(f, i).d.state, JOURNAL_STATE_DONE);
	assert_string_equal(state_of(f, 2).why, "Location: /awards/7");
	assert_string_equal(history(f, 1), "");
	assert_string_equal(history(f, 2), "1 done");
	assert_ahead(f, 0, "1 2 3");
}

/* ---- Turns within a subject */

static struct journal_settled parked(uint64_t n, uint64_t subject, int64_t due_ms)
{
	struct journal_settled v = item(n, JOURNAL_PARK);
	v.subject = subject;
	v.due_ms = due_ms;
	v.attempt = due_ms != JOURNAL_WAITS;
	return v;
}

static struct journal_settled ended(uint64_t n, enum journal_act act, int64_t at_ms)
{
	struct journal_settled v = item(n, act);
	v.was_parked = true;
	v.attempt = 2;
	v.at_ms = at_ms;
	return v;
}

static void test_what_waits_for_its_subject_goes_one_by_one(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	const uint64_t a = UINT64_MAX - 5, b = 7;
	struct journal_settled first[] = { parked(4, a, JOURNAL_WAITS), parked(1, a, 5000), parked(2, b, 6000) };
	struct journal_settled more[] = { parked(3, a, JOURNAL_WAITS), parked(5, b, JOURNAL_WAITS),
					  parked(6, 0, 9000) };
	settle(f, first, 3);
	settle(f, more, 3);
	int64_t next;
	assert_string_equal(due(f, 6500, &next), "1 2");
	assert_int_equal(next, 9000);
	assert_int_equal(journal_subject_owed(f->j, "s", a, &err), 1);
	assert_int_equal(journal_subject_owed(f->j, "s", b, &err), 1);
	assert_int_equal(journal_subject_owed(f->j, "s", 8, &err), 0);
	assert_int_equal(journal_subject_owed(f->j, "other", a, &err), 0);

	struct journal_settled again = parked(1, 0, 7000); /* fails once more: nothing changes for the others */
	again.was_parked = true;
	settle_one(f, again);
	assert_string_equal(due(f, 7500, NULL), "2 1");
	settle_one(f, ended(1, JOURNAL_DEAD, 7600));
	assert_string_equal(due(f, 7600, NULL), "2 3");
	struct journal_parked v[4];
	assert_int_equal(journal_due(f->j, "s", 7600, v, 4, &next, &err), 2);
	assert_int_equal(v[1].first_ms, 7600); /* its patience begins now */
	assert_int_equal(v[1].attempts, 0);
	assert_true(v[1].subject == a);
	settle_one(f, ended(3, JOURNAL_DONE, 7700));
	assert_string_equal(due(f, 8000, NULL), "2 4");
	settle_one(f, ended(4, JOURNAL_SKIP, 7800));
	assert_string_equal(due(f, 8000, NULL), "2");
	settle_one(f, ended(2, JOURNAL_DONE, 7900));
	assert_string_equal(due(f, 8000, NULL), "5");
	assert_int_equal(journal_subject_owed(f->j, "s", a, &err), 0);
	settle_one(f, ended(5, JOURNAL_DONE, 8000));
	settle_one(f, ended(6, JOURNAL_DONE, 9000));
	assert_string_equal(due(f, INT64_MAX - 1, &next), "");
	assert_true(next == INT64_MAX);
}

static void test_what_waits_alone_holds_nothing_up_and_is_owed(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	int64_t next;
	struct journal_settled v[] = { parked(1, 3, 5000), parked(2, 3, JOURNAL_WAITS) };
	settle(f, v, 2);
	assert_string_equal(due(f, 4000, &next), "");
	assert_int_equal(next, 5000);
	assert_int_equal(state_of(f, 2).d.state, JOURNAL_STATE_PARKED);
	assert_string_equal(history(f, 2), "");
	/* the one before has ended meanwhile: nobody would call the next one */
	settle_one(f, ended(1, JOURNAL_DONE, 5000));
	settle_one(f, ended(2, JOURNAL_DONE, 5000));
	settle_one(f, parked(3, 3, JOURNAL_WAITS));
	assert_string_equal(due(f, 5001, &next), "3");
}

static void test_opening_a_sink_lets_go_what_would_wait_for_ever(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled v[] = { parked(1, 3, 5000), parked(2, 3, JOURNAL_WAITS), parked(3, 3, JOURNAL_WAITS),
				       parked(4, 9, 5000), parked(5, 9, JOURNAL_WAITS) };
	settle(f, v, 5);
	edit(f, "DELETE FROM exceptions WHERE subject = 3 AND due = 5000");
	assert_string_equal(due(f, INT64_MAX - 1, NULL), "4");
	open_sink(f);
	assert_string_equal(due(f, INT64_MAX - 1, NULL), "4 2");
	open_sink(f);
	assert_string_equal(due(f, INT64_MAX - 1, NULL), "4 2");
}

static void test_due_is_in_order_and_stops_at_the_limit(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled v[] = { parked(9, 0, 100), parked(3, 0, 200), parked(8, 0, 100), parked(1, 0, 300) };
	settle(f, v, 4);
	assert_string_equal(due(f, 250, NULL), "8 9 3");
	struct journal_parked p[2];
	int64_t next;
	assert_int_equal(journal_due(f->j, "s", 300, p, 2, &next, &err), 2);
	assert_int_equal(next, 200);
}

/* ---- Dead letters */

struct list {
	struct fixture *f;
	uint64_t n, stop_at;
	int64_t last_ms;
	uint64_t last;
	char text[256];
};

static bool list(void *ctx, const struct journal_dead *d)
{
	struct list *l = ctx;
	uint64_t number = (d->at.lo - 64) / 8;
	assert_true(d->at_ms > l->last_ms || (d->at_ms == l->last_ms && number > l->last) || l->n == 0);
	l->last_ms = d->at_ms;
	l->last = number;
	if (l->n++ < 20)
		sprintf(l->text + strlen(l->text), "%s%s:%d:%s", l->n > 1 ? " " : "", d->sink, (int)number, d->class_);
	if (l->f) /* the lock is not held */
		state_of(l->f, number);
	return l->n != l->stop_at;
}

static void assert_dead(struct fixture *f, struct journal_dead_filter filter, const char *want)
{
	struct list l = { .f = f };
	OK(journal_dead(f->j, &filter, list, &l, &err));
	assert_string_equal(l.text, want);
}

static void test_dead_letters_are_listed_by_what_is_asked(void **state)
{
	struct fixture *f = *state;
	struct journal_sink sink;
	open_sink(f);
	OK(journal_sink_open(f->j, "other", &sink, &err));
	struct journal_settled v[] = { item(1, JOURNAL_DEAD), item(2, JOURNAL_DEAD), item(3, JOURNAL_SKIP),
				       item(4, JOURNAL_PARK), item(5, JOURNAL_DONE) };
	v[0].at_ms = 2000;
	v[1].class_ = "gave up";
	settle(f, v, 5);
	v[0].at_ms = 500;
	OK(journal_settle(f->j, "other", NULL, v, 1, NULL, &err));
	assert_dead(f, (struct journal_dead_filter){ 0 }, "other:1:event s:2:gave up s:1:event");
	assert_dead(f, (struct journal_dead_filter){ .sink = "s" }, "s:2:gave up s:1:event");
	assert_dead(f, (struct journal_dead_filter){ .class_ = "event" }, "other:1:event s:1:event");
	assert_dead(f, (struct journal_dead_filter){ .from_ms = 1000, .to_ms = 1999 }, "s:2:gave up");
	assert_dead(f, (struct journal_dead_filter){ .from_ms = 2000 }, "s:1:event");
	assert_dead(f, (struct journal_dead_filter){ .skipped = true }, "s:3:");
	struct journal_sink_counts counts;
	OK(journal_sink_counts(f->j, "s", &counts, &err));
	assert_int_equal(counts.dead, 2);
	assert_int_equal(counts.skipped, 1);
	assert_int_equal(counts.parked, 1);
	OK(journal_sink_counts(f->j, "nobody", &counts, &err));
	assert_int_equal(counts.dead + counts.skipped + counts.parked, 0);
	OK(journal_sinks_keep(f->j, (const char *[]){ "s" }, 1, &err));
}

static void test_many_dead_letters_are_listed_quickly(void **state)
{
	struct fixture *f = *state;
	enum { N = 20000 };
	open_sink(f);
	struct journal_settled *v = xcalloc(N, sizeof *v);
	for (uint64_t i = 0; i < N; i++) {
		v[i] = item(i, JOURNAL_DEAD);
		v[i].at_ms = i < N / 2 ? 1000 : 1000 + (int64_t)i / 10; /* half of them at once */
	}
	settle(f, v, N);
	free(v);
	struct list l = { .n = 0 };
	OK(journal_dead(f->j, &(struct journal_dead_filter){ 0 }, list, &l, &err));
	assert_int_equal(l.n, N);
	l = (struct list){ .stop_at = 700 };
	OK(journal_dead(f->j, &(struct journal_dead_filter){ 0 }, list, &l, &err));
	assert_int_equal(l.n, 700);
}

static void test_a_damaged_name_does_not_list_for_ever(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled v[] = { item(1, JOURNAL_DEAD), item(2, JOURNAL_DEAD) };
	settle(f, v, 2);
	edit(f, "UPDATE exceptions SET sink = x'80' WHERE pos = (SELECT max(pos) FROM exceptions)");
	struct list l = { .stop_at = 10 };
	OK(journal_dead(f->j, &(struct journal_dead_filter){ 0 }, list, &l, &err));
	assert_string_equal(l.text, "s:1:event");
}

/* ---- Replay */

static void replay(struct journal *j, uint64_t n, int64_t due_ms, int64_t now_ms)
{
	struct journal_replay v = { .at = at(n), .id = id_of(n), .due_ms = due_ms };
	OK(journal_replay(j, "s", &v, 1, now_ms, STR("by hand"), &err));
}

static void test_a_replayed_delivery_is_owed_again(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled dead = item(1, JOURNAL_DEAD), retried = ended(4, JOURNAL_DONE, 1500);
	dead.attempt = 3;
	dead.subject = 77;
	settle_one(f, dead);
	settle_one(f, item(2, JOURNAL_DONE));
	settle_one(f, item(3, JOURNAL_SKIP));
	settle_one(f, retried);
	move_cursor(f, 10);
	replay(f->j, 1, 5000, 4000);
	replay(f->j, 2, 5001, 4000);
	replay(f->j, 3, 5002, 4000);
	replay(f->j, 4, 5003, 4000);
	replay(f->j, 5, 5004, 4000);  /* never routed: somebody insists */
	replay(f->j, 12, 5000, 4000); /* the cursor has not reached it: it comes anyway */
	assert_string_equal(due(f, 9999, NULL), "1 2 3 4 5");
	struct journal_parked v[8];
	int64_t next;
	assert_int_equal(journal_due(f->j, "s", 9999, v, 8, &next, &err), 5);
	assert_int_equal(v[0].attempts, 0); /* as many tries as an event has that is new */
	assert_int_equal(v[0].first_ms, 4000);
	assert_int_equal(v[0].subject, 77);
	assert_int_equal(v[1].attempts, 0);
	assert_int_equal(v[4].attempts, 0);
	assert_string_equal(history(f, 1), "3 dead, 3 replayed");
	assert_string_equal(history(f, 2), "1 replayed");
	assert_string_equal(history(f, 12), "");
	struct seen seen = state_of(f, 1);
	assert_int_equal(seen.d.state, JOURNAL_STATE_PARKED);
	assert_string_equal(seen.why, "by hand");
	assert_string_equal(seen.class_, "");
	assert_int_equal(state_of(f, 2).d.state, JOURNAL_STATE_PARKED);
	assert_int_equal(state_of(f, 12).d.state, JOURNAL_STATE_OWED);
	struct journal_sink_counts counts;
	OK(journal_sink_counts(f->j, "s", &counts, &err));
	assert_int_equal(counts.dead + counts.skipped, 0);
	assert_int_equal(counts.parked, 5);
	settle_one(f, ended(2, JOURNAL_DONE, 6000));
	assert_int_equal(state_of(f, 2).d.state, JOURNAL_STATE_DONE);
	assert_string_equal(history(f, 2), "1 replayed, 2 done");
}

static void test_a_replay_makes_what_is_parked_due(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	struct journal_settled v[] = { parked(1, 3, 90000), parked(2, 3, JOURNAL_WAITS) };
	settle(f, v, 2);
	replay(f->j, 1, 5000, 4000);
	replay(f->j, 2, 5001, 4000);
	assert_string_equal(due(f, 9999, NULL), "1 2");
	settle_one(f, ended(1, JOURNAL_DONE, 6000));
	settle_one(f, ended(2, JOURNAL_DONE, 6000));
	assert_string_equal(due(f, INT64_MAX - 1, NULL), "");
}

static void test_a_replay_to_an_unknown_sink_is_refused(void **state)
{
	struct fixture *f = *state;
	struct journal_replay v = { .at = at(1), .id = id_of(1) };
	assert_int_equal(journal_replay(f->j, "nobody", &v, 1, 1, STR(""), &err), -1);
	assert_non_null(strstr(err.text, "nobody"));
}

static void test_a_running_daemon_notices_an_operator(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	settle_one(f, item(1, JOURNAL_DEAD));

	struct journal *beside = journal_open_operator(f->path, &err);
	assert_non_null(beside);
	uint64_t before = journal_operations(f->j), now = before;
	replay(beside, 1, 5000, 4000);
	struct list l = { .n = 0 };
	OK(journal_dead(beside, &(struct journal_dead_filter){ 0 }, list, &l, &err));
	assert_int_equal(l.n, 0);
	for (int i = 0; i < 20 && now == before; i++) {
		journal_wait(f->j, journal_end(f->j), 1000);
		now = journal_operations(f->j);
		if (now == before && i % 5 == 4) /* its first look came behind this replay */
			replay(beside, 1, 5000, 4000 + i);
	}
	assert_int_not_equal(now, before);
	assert_string_equal(due(f, 5000, NULL), "1");
	settle_one(f, ended(1, JOURNAL_DONE, 6000));
	journal_close(beside);
}

static void test_an_operator_needs_no_daemon(void **state)
{
	struct fixture *f = *state;
	open_sink(f);
	settle_one(f, item(1, JOURNAL_DEAD));
	journal_close(f->j);
	struct journal *alone = journal_open_operator(f->path, &err);
	assert_non_null(alone);
	replay(alone, 1, 5000, 4000);
	journal_close(alone);
	struct journal *reader = journal_open_reader(f->path, &err);
	assert_non_null(reader);
	struct journal_replay v = { .at = at(1), .id = id_of(1) };
	assert_int_equal(journal_replay(reader, "s", &v, 1, 1, STR(""), &err), -1);
	journal_close(reader);
	open_journal(f);
	assert_string_equal(due(f, 5000, NULL), "1");
	assert_null(journal_open_operator("/nonexistent/journal", &err));
}

static void test_what_was_recovered_is_known_as_long_as_the_request_is(void **state)
{
	struct fixture *f = *state;
	struct id request = id_new(f->now_ns), event = id_new(f->now_ns), other = id_new(f->now_ns), got;
	struct id old = id_new(f->now_ns);
	int64_t at_ms, now_ms = f->now_ns / NS_PER_MS;
	assert_int_equal(journal_recovered(f->j, &request, &got, &at_ms, &err), 0);
	OK(journal_recovered_add(f->j, &request, &event, now_ms, &err));
	OK(journal_recovered_add(f->j, &request, &other, now_ms + 1, &err));
	OK(journal_recovered_add(f->j, &old, &event, now_ms - 172800000, &err)); /* the journal is younger than that */
	reopen(f);
	for (int i = 0; journal_recovered(f->j, &old, &got, &at_ms, &err) == 1; i++) {
		assert_true(i < 1000);
		usleep(5000);
	}
	assert_int_equal(journal_recovered(f->j, &request, &got, &at_ms, &err), 1);
	assert_memory_equal(&got, &event, sizeof got);
	assert_int_equal(at_ms, now_ms);
	assert_int_equal(journal_recovered(f->j, &other, &got, &at_ms, &err), 0);
}

/* ---- Counts and notes */

struct died {
	char text[64];
};

static void add_died(void *ctx, const char *sink, uint64_t n)
{
	struct died *died = ctx;
	size_t at = strlen(died->text);
	snprintf(died->text + at, sizeof died->text - at, "%s %d;", sink, (int)n);
}

static const char *died(struct fixture *f)
{
	static struct died all;
	all.text[0] = '\0';
	OK(journal_died(f->j, add_died, &all, &err));
	return all.text;
}

/* Whatever becomes of them, there were so many; Patchbay's own do not count. */
static void test_how_many_ever_died_is_known(void **state)
{
	struct fixture *f = *state;
	struct journal_replay again = { .at = at(1), .id = id_of(1), .due_ms = 2000 };
	open_sink(f);
	struct journal_settled v[] = { item(1, JOURNAL_DEAD), item(2, JOURNAL_PARK), item(3, JOURNAL_DEAD),
				       item(4, JOURNAL_DEAD) };
	v[3].id = id_new_own(0);
	assert_true(id_is_own(&v[3].id));
	assert_false(id_is_own(&v[0].id));
	settle(f, v, 4);
	assert_string_equal(died(f), "s 2;");
	OK(journal_replay(f->j, "s", &again, 1, 2000, STR("again"), &err));
	assert_string_equal(died(f), "s 2;");
	reopen(f);
	settle_one(f, item(1, JOURNAL_DEAD));
	assert_string_equal(died(f), "s 3;");
}

static void add_note(void *ctx, const struct journal_note *note)
{
	struct died *all = ctx;
	size_t n = strlen(all->text);
	snprintf(all->text + n, sizeof all->text - n, "%s=%.*s;", note->name, STR_ARG(note->value));
}

static const char *notes(struct fixture *f)
{
	static struct died all;
	all.text[0] = '\0';
	OK(journal_notes(f->j, add_note, &all, &err));
	return all.text;
}

static void test_notes_are_kept(void **state)
{
	struct fixture *f = *state;
	const struct journal_note some[] = { { "a", STR("1") }, { "b", STR("two words") } };
	const struct journal_note other[] = { { "a", STR("") }, { "b", STR("3") }, { "c", STR("") } };
	assert_string_equal(notes(f), "");
	OK(journal_notes_put(f->j, some, 2, &err));
	assert_string_equal(notes(f), "a=1;b=two words;");
	reopen(f);
	assert_string_equal(notes(f), "a=1;b=two words;");
	OK(journal_notes_put(f->j, other, 3, &err));
	assert_string_equal(notes(f), "b=3;");
}

/* ---- Older versions */

static const char version_1[] =
	"CREATE TABLE sinks(name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, checkpoint BLOB NOT NULL, kept INTEGER NOT "
	"NULL) WITHOUT ROWID;"
	"CREATE TABLE batches(sink TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL,"
	" done BLOB NOT NULL, PRIMARY KEY(sink, first)) WITHOUT ROWID;"
	"CREATE TABLE exceptions(sink TEXT NOT NULL, pos INTEGER NOT NULL, id BLOB NOT NULL, state INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL, first INTEGER NOT NULL, at INTEGER NOT NULL, due INTEGER, class TEXT, why TEXT "
	"NOT NULL, PRIMARY KEY(sink, pos)) WITHOUT ROWID;"
	"CREATE INDEX due ON exceptions(sink, due) WHERE due IS NOT NULL;"
	"CREATE TABLE attempts(id BLOB NOT NULL, sink TEXT NOT NULL, number INTEGER NOT NULL, pos INTEGER NOT NULL, at "
	"INTEGER NOT NULL,"
	" took INTEGER NOT NULL, result TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY(id, sink, number, at)) WITHOUT "
	"ROWID;CREATE INDEX attempts_pos ON attempts(pos);"
	"PRAGMA user_version = 1;"
	/* the numbers 0 and 2621440, in one batch that spans 20 MiB; 1 is parked */
	"INSERT INTO sinks VALUES('s', (1 << 32) + 64, x'', 1);"
	"INSERT INTO batches VALUES('s', (1 << 32) + 64, (1 << 32) + 64 + 20971520, 900, x'008080a001');"
	"INSERT INTO exceptions VALUES('s', (1 << 32) + 72, x'01000000000000000000000000000000', 2, 1, 800, 800, 7000, "
	"NULL, 'later');"
	"INSERT INTO attempts VALUES(x'01000000000000000000000000000000', 's', 1, (1 << 32) + 72, 800, 5, 'retry', "
	"'later');";

static void test_the_state_of_an_earlier_version_is_taken_over(void **state)
{
	struct fixture *f = *state;
	journal_close(f->j);
	for (int i = 0; i < 3; i++) {
		char *path = xasprintf("%s/state.db%s", f->path, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
		unlink(path);
		free(path);
	}
	edit(f, version_1);
	assert_null(journal_open_reader(f->path, &err)); /* a daemon of that version may still be running */
	assert_non_null(strstr(err.text, "version 1"));
	assert_null(journal_open_operator(f->path, &err));
	for (int again = 0; again < 2; again++) {
		open_journal(f);
		open_sink(f);
		assert_int_equal(state_of(f, 0).d.state, JOURNAL_STATE_DONE);
		assert_int_equal(state_of(f, 20971520 / 8).d.state, JOURNAL_STATE_DONE);
		assert_int_equal(state_of(f, 20971520 / 8 - 1).d.state, JOURNAL_STATE_OWED);
		assert_string_equal(due(f, 7000, NULL), "1");
		assert_string_equal(history(f, 1), "1 retry");
		assert_string_equal(died(f), "s 0;");
		assert_string_equal(notes(f), "");
		if (again == 0)
			journal_close(f->j);
	}
	journal_close(f->j); /* 2 to 4 lack the same as each other */
	edit(f, "DROP TABLE notes; ALTER TABLE sinks DROP COLUMN died; PRAGMA user_version = 4");
	open_journal(f);
	settle_one(f, item(9, JOURNAL_DEAD));
	assert_string_equal(died(f), "s 1;");
	assert_string_equal(due(f, 7000, NULL), "1");
	edit(f, "PRAGMA user_version = 6");
	assert_null(journal_open_reader(f->path, &err));
	assert_non_null(strstr(err.text, "newer Patchbay"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_batches_that_interleave_are_found_event_by_event),
		TEST(test_a_batch_never_overwrites_another),
		TEST(test_a_batch_over_much_of_a_segment),
		TEST(test_what_is_settled_ahead_of_the_cursor),
		TEST(test_a_note_is_an_attempt_and_nothing_else),
		TEST(test_what_a_sink_says_of_a_success_is_kept),
		TEST(test_what_waits_for_its_subject_goes_one_by_one),
		TEST(test_what_waits_alone_holds_nothing_up_and_is_owed),
		TEST(test_opening_a_sink_lets_go_what_would_wait_for_ever),
		TEST(test_due_is_in_order_and_stops_at_the_limit),
		TEST(test_dead_letters_are_listed_by_what_is_asked),
		TEST(test_many_dead_letters_are_listed_quickly),
		TEST(test_a_damaged_name_does_not_list_for_ever),
		TEST(test_a_replayed_delivery_is_owed_again),
		TEST(test_a_replay_makes_what_is_parked_due),
		TEST(test_a_replay_to_an_unknown_sink_is_refused),
		TEST(test_a_running_daemon_notices_an_operator),
		TEST(test_an_operator_needs_no_daemon),
		TEST(test_what_was_recovered_is_known_as_long_as_the_request_is),
		TEST(test_how_many_ever_died_is_known),
		TEST(test_notes_are_kept),
		TEST(test_the_state_of_an_earlier_version_is_taken_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
