/* What is remembered of a worker that crashed. The end of a worker is played by guard_bury(), in this one process. */
#include "guard/internal.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int64_t passed_ns;
int64_t __real_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void);
int64_t __wrap_clock_steady_ns(void)
{
	return __real_clock_steady_ns() + passed_ns;
}

static int setup(void **state)
{
	struct err err;
	(void)state;
	if (!guard_board)
		assert_int_equal(guard_open(&err), 0);
	guard_forgive(NULL);
	guard_request_clear();
	for (size_t i = 0; i < GUARD_INSTANCES; i++)
		memset(&guard_board->instances[i], 0, sizeof guard_board->instances[i]);
	passed_ns = 0;
	return 0;
}

static struct guard_event event(uint64_t n)
{
	struct guard_event event = { .pos = { 1, n } };
	memcpy(&event.id, &n, sizeof n);
	return event;
}

static struct guard_note note_of(enum guard_call call, const char *instance, uint64_t first, uint64_t last)
{
	return (struct guard_note){ .call = call,
				    .side = call == GUARD_VERIFY || call == GUARD_PARSE ? GUARD_SOURCE : GUARD_SINK,
				    .plugin = "acme",
				    .instance = instance,
				    .n = (uint32_t)(last - first + 1),
				    .first = event(first),
				    .last = event(last) };
}

/* The slots are wiped between two workers, and so is whose they are. */
static bool end_worker(int status, char sentence[640])
{
	struct guard_obituary about;
	bool blamed = guard_bury(status, -1, &about);
	memcpy(sentence, about.sentence, sizeof about.sentence);
	if (guard_own_slot())
		atomic_store(&guard_own_slot()->tid, 1);
	return blamed;
}

static void crash_with(const struct guard_note *note, char sentence[640])
{
	guard_enter(note);
	assert_true(end_worker(SIGSEGV, sentence));
	guard_leave();
}

static void the_third_crash_is_an_events_last(void **state)
{
	char sentence[640];
	struct guard_blame blame;
	const struct guard_note note = note_of(GUARD_ACT, "audit", 7, 7);
	const struct guard_event other = event(8);
	(void)state;
	assert_false(guard_has_events(GUARD_SINK, "audit"));
	for (uint32_t n = 1; n <= GUARD_CRASHES_MAX; n++) {
		crash_with(&note, sentence);
		assert_true(guard_event_blame(GUARD_SINK, "audit", &note.first, &blame));
		assert_int_equal(blame.count, n);
		assert_string_equal(blame.what, "SIGSEGV");
	}
	assert_non_null(strstr(sentence, "sink audit (plugin acme) crashed the worker"));
	assert_non_null(strstr(sentence, "it is not tried again"));
	assert_true(guard_has_events(GUARD_SINK, "audit"));
	assert_false(guard_event_blame(GUARD_SINK, "audit", &other, &blame));
	assert_false(guard_event_blame(GUARD_SINK, "desk", &note.first, &blame));
	assert_false(guard_event_blame(GUARD_SOURCE, "audit", &note.first, &blame));
}

static void all_events_of_a_call_are_suspects(void **state)
{
	char sentence[640];
	struct guard_blame blame;
	const struct guard_note batch = note_of(GUARD_ACT, "audit", 10, 19), one = note_of(GUARD_ACT, "audit", 13, 13);
	const struct guard_event inside = event(12), outside = event(20);
	(void)state;
	crash_with(&batch, sentence);
	assert_non_null(strstr(sentence, "10 events"));
	assert_true(guard_event_blame(GUARD_SINK, "audit", &inside, &blame));
	assert_true(blame.suspect);
	assert_int_equal(blame.count, 0);
	assert_false(guard_event_blame(GUARD_SINK, "audit", &outside, &blame));
	crash_with(&one, sentence); /* the second one with this event in it */
	assert_true(guard_event_blame(GUARD_SINK, "audit", &one.first, &blame));
	assert_int_equal(blame.count, 2);
	assert_true(guard_event_blame(GUARD_SINK, "audit", &inside, &blame));
	assert_int_equal(blame.count, 0);
}

static void who_was_killed_is_not_to_blame(void **state)
{
	char sentence[640];
	const struct guard_note note = note_of(GUARD_ACT, "audit", 7, 7);
	(void)state;
	guard_enter(&note);
	assert_false(end_worker(SIGKILL, sentence));
	guard_leave();
	assert_non_null(strstr(sentence, "SIGKILL"));
	assert_false(guard_has_events(GUARD_SINK, "audit"));
	assert_false(end_worker(SIGSEGV, sentence)); /* in no call */
}

static void an_instance_that_only_crashes_is_left_alone_for_a_while(void **state)
{
	char sentence[640], why[GUARD_WHY_SIZE];
	(void)state;
	for (uint64_t n = 0; n < 9; n++) { /* different ones, of which each is dealt with by itself */
		const struct guard_note note = note_of(GUARD_ACT, "audit", n, n);
		for (int again = 0; again < (n == 8 ? 1 : 3); again++) { /* the third one is its last */
			assert_false(guard_parked(GUARD_SINK, "audit", why));
			crash_with(&note, sentence);
		}
	}
	assert_true(guard_parked(GUARD_SINK, "audit", why));
	assert_non_null(strstr(why, "again and again: SIGSEGV"));
	passed_ns = 61 * NS_PER_S;
	assert_false(guard_parked(GUARD_SINK, "audit", NULL));
	const struct guard_note note = note_of(GUARD_ACT, "audit", 99, 99);
	crash_with(&note, sentence); /* still: so for longer */
	passed_ns += 100 * NS_PER_S;
	assert_true(guard_parked(GUARD_SINK, "audit", NULL));
	passed_ns += 21 * NS_PER_S;
	guard_works(GUARD_SINK, "audit", GUARD_ACT);
	crash_with(&note, sentence);
	assert_false(guard_parked(GUARD_SINK, "audit", NULL));
}

static void who_is_left_alone_for_a_while_is_made_all_the_same(void **state)
{
	char sentence[640], why[GUARD_WHY_SIZE];
	struct guard_note idle = note_of(GUARD_IDLE, "audit", 0, 0);
	const struct guard_note act = note_of(GUARD_ACT, "audit", 5, 5);
	(void)state;
	idle.n = 0;
	for (int n = 0; n < 3; n++) {
		assert_false(guard_parked(GUARD_SINK, "audit", why));
		crash_with(&idle, sentence);
		guard_works(GUARD_SINK, "audit", GUARD_ACT); /* which says nothing about idle() */
	}
	assert_true(guard_parked(GUARD_SINK, "audit", why));
	assert_false(guard_left_out(GUARD_SINK, "audit", why));
	guard_works(GUARD_SINK, "audit", GUARD_IDLE);
	passed_ns = 61 * NS_PER_S;
	crash_with(&act, sentence);
	assert_false(guard_parked(GUARD_SINK, "audit", why));
}

/* What its handler would have noted. */
static void crash_in_thread(const char *plugin, char sentence[640])
{
	struct guard_crash *crash = &guard_board->crash;
	atomic_store(&crash->tid, 1);
	*crash = (struct guard_crash){ .tid = 1, .slot = -1, .signal = SIGBUS, .where = "acme.so+0x10" };
	snprintf(crash->plugin, sizeof crash->plugin, "%s", plugin);
	assert_true(end_worker(SIGBUS, sentence));
}

static void a_thread_of_a_plugin_speaks_for_the_only_call_of_it(void **state)
{
	char sentence[640];
	struct guard_blame blame;
	const struct guard_note note = note_of(GUARD_ACT, "audit", 7, 7);
	(void)state;
	guard_enter(&note);
	crash_in_thread("acme", sentence);
	guard_leave();
	assert_true(guard_event_blame(GUARD_SINK, "audit", &note.first, &blame));
	assert_non_null(strstr(blame.what, "SIGBUS in acme.so+0x10, in a thread of its own"));
	guard_enter(&note);
	crash_in_thread("another", sentence);
	guard_leave();
	assert_string_equal(sentence,
			    "plugin another crashed the worker: in a thread of its own: SIGBUS in acme.so+0x10");
	assert_true(guard_event_blame(GUARD_SINK, "audit", &note.first, &blame));
	assert_int_equal(blame.count, 1);
}

static void a_plugin_whose_threads_crash_is_left_out(void **state)
{
	char sentence[640], why[GUARD_WHY_SIZE];
	(void)state;
	for (int n = 0; n < 3; n++) {
		passed_ns += 200 * NS_PER_S;
		assert_false(guard_left_out(GUARD_PLUGIN, "acme", why));
		crash_in_thread("acme", sentence);
	}
	assert_true(guard_left_out(GUARD_PLUGIN, "acme", why));
	guard_forgive(NULL);
	for (int n = 0; n < 4; n++) {
		assert_false(guard_left_out(GUARD_PLUGIN, "acme", why));
		crash_in_thread("acme", sentence);
		passed_ns += 400 * NS_PER_S; /* so rarely that it can be borne */
	}
}

/* A second thread is in a call when the worker ends, and nobody says which of the two it was. */
struct second {
	const struct guard_note *note;
	pthread_barrier_t *at;
	struct guard_slot *slot;
};

static void *second_main(void *ctx)
{
	struct second *second = ctx;
	guard_enter(second->note);
	second->slot = guard_own_slot();
	pthread_barrier_wait(second->at); /* both are in a call */
	pthread_barrier_wait(second->at); /* it has ended */
	guard_leave();
	return NULL;
}

static bool end_with_two(const struct guard_note *a, const struct guard_note *b, char sentence[640])
{
	pthread_barrier_t at;
	pthread_t thread;
	struct second second = { b, &at, NULL };
	assert_int_equal(pthread_barrier_init(&at, NULL, 2), 0);
	guard_enter(a);
	assert_int_equal(pthread_create(&thread, NULL, second_main, &second), 0);
	pthread_barrier_wait(&at);
	bool blamed = end_worker(SIGSEGV, sentence);
	atomic_store(&second.slot->tid, 1);
	pthread_barrier_wait(&at);
	pthread_join(thread, NULL);
	guard_leave();
	pthread_barrier_destroy(&at);
	return blamed;
}

static void of_several_suspects_one_is_called_at_a_time(void **state)
{
	char sentence[640];
	const struct guard_note a = note_of(GUARD_ACT, "audit", 7, 7), b = note_of(GUARD_ACT, "desk", 7, 7);
	const struct guard_note c = note_of(GUARD_ACT, "third", 7, 7);
	(void)state;
	assert_false(end_with_two(&a, &b, sentence));
	assert_non_null(strstr(sentence, "it is not known yet"));
	assert_true(guard_is_suspect(GUARD_SINK, "audit"));
	assert_true(guard_is_suspect(GUARD_SINK, "desk"));
	guard_enter(&b);
	guard_leave();
	assert_false(guard_is_suspect(GUARD_SINK, "desk")); /* its call has returned */
	assert_true(end_with_two(&a, &c, sentence));
	assert_non_null(strstr(sentence, "sink audit"));
	guard_suspect(&(struct guard_slot){ .side = GUARD_SINK, .instance = "audit" });
	guard_suspect(&(struct guard_slot){ .side = GUARD_SINK, .instance = "third" });
	assert_false(end_with_two(&a, &c, sentence)); /* the second one waited for its turn, but not for ever */
}

static void what_was_written_over_does_not_harm_the_supervisor(void **state)
{
	char sentence[640];
	const struct guard_note note = note_of(GUARD_ACT, "audit", 7, 7);
	(void)state;
	guard_enter(&note);
	memset(&guard_board->crash, 0x7f, sizeof guard_board->crash);
	memset(guard_own_slot()->instance, 0x7f, GUARD_NAME_SIZE);
	end_worker(SIGSEGV, sentence);
	guard_leave();
}

static void what_cannot_be_made_is_left_out_until_forgiven(void **state)
{
	char sentence[640], why[GUARD_WHY_SIZE];
	struct guard_note note = note_of(GUARD_CREATE, "audit", 0, 0);
	(void)state;
	note.n = 0;
	for (int n = 0; n < 3; n++)
		crash_with(&note, sentence);
	passed_ns = 10000 * NS_PER_S;
	assert_true(guard_parked(GUARD_SINK, "audit", why));
	assert_non_null(strstr(why, "until patchbay is reloaded or restarted"));
	guard_forgive("another");
	assert_true(guard_parked(GUARD_SINK, "audit", why));
	guard_forgive("acme");
	assert_false(guard_parked(GUARD_SINK, "audit", why));
}

static void a_flood_of_poison_closes_the_source_though_others_get_through(void **state)
{
	char sentence[640];
	(void)state;
	for (int n = 0; n < GUARD_RECENT; n++) {
		struct guard_note note = note_of(GUARD_VERIFY, "fleet", 0, 0);
		note.n = 0;
		assert_false(guard_parked(GUARD_SOURCE, "fleet", NULL));
		crash_with(&note, sentence);
		guard_works(GUARD_SOURCE, "fleet", GUARD_PARSE);
	}
	struct guard_note note = note_of(GUARD_VERIFY, "fleet", 0, 0);
	note.n = 0;
	crash_with(&note, sentence);
	assert_true(guard_parked(GUARD_SOURCE, "fleet", NULL));
}

#define S(text)                                                                                                        \
	{                                                                                                              \
		text, sizeof(text) - 1                                                                                 \
	}

static void a_request_outlives_its_worker(void **state)
{
	char sentence[640];
	static const patchbay_kv headers[] = { { S("x-secret"), S("1") }, { S("x-empty"), S("") } };
	patchbay_request request = { .size = sizeof request,
				     .n_headers = 2,
				     .headers = headers,
				     .method = S("POST"),
				     .path = S("/in/fleet"),
				     .client = S("192.0.2.1"),
				     .body = S("{\"a\":1}"),
				     .received_ns = 17 };
	struct guard_note note = note_of(GUARD_PARSE, "fleet", 0, 0);
	struct guard_request left;
	struct guard_blame blame;
	(void)state;
	note.n = 0;
	note.request = &request;
	for (uint32_t n = 1; n <= GUARD_CRASHES_MAX; n++) {
		guard_enter(&note);
		assert_true(guard_request_write(&request)); /* as the thread that crashes does */
		atomic_store(&guard_board->crash.tid, 1);
		guard_board->crash.slot = (int32_t)(guard_own_slot() - guard_board->slots);
		guard_board->crash.signal = SIGBUS;
		guard_board->crash.has_request = true;
		assert_true(end_worker(SIGBUS, sentence));
		guard_leave();
		assert_true(guard_request_blame("fleet", &request, GUARD_PARSE, &blame));
		assert_int_equal(blame.count, n);
	}
	assert_true(guard_take_request(&left));
	assert_string_equal(left.source, "fleet");
	assert_string_equal(left.plugin, "acme");
	assert_int_equal(left.count, 3);
	assert_int_equal(left.call, GUARD_PARSE);
	assert_int_equal(left.request.n_headers, 2);
	assert_memory_equal(left.request.body.p, request.body.p, request.body.n);
	assert_memory_equal(left.request.headers[0].key.p, "x-secret", 8);
	assert_int_equal(left.request.headers[1].value.n, 0);
	assert_int_equal(left.request.received_ns, 17);
	guard_request_free(&left);
	assert_false(guard_take_request(&left)); /* it is taken once */

	request.n_headers = 1; /* the sender's headers do not matter to what was parsed, its body does */
	assert_true(guard_request_blame("fleet", &request, GUARD_PARSE, &blame));
	assert_false(guard_request_blame("fleet", &request, GUARD_VERIFY, &blame));
	assert_false(guard_request_blame("other", &request, GUARD_PARSE, &blame));
	request.body.n--;
	assert_false(guard_request_blame("fleet", &request, GUARD_PARSE, &blame));
}

static void a_request_that_cannot_be_read_is_given_up(void **state)
{
	(void)state;
	patchbay_request request = { .size = sizeof request, .body = { (const char *)(uintptr_t)16, 100 } };
	struct guard_request left;
	assert_false(guard_request_write(&request));
	assert_false(guard_take_request(&left));
}

static void the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
	char sentence[640];
	struct guard_blame blame;
	(void)state;
	for (uint64_t n = 0; n <= GUARD_ENTRIES; n++) {
		const struct guard_note note = note_of(GUARD_ACT, "audit", n, n);
		crash_with(&note, sentence);
	}
	const struct guard_event first = event(0), second = event(1), last = event(GUARD_ENTRIES);
	assert_false(guard_event_blame(GUARD_SINK, "audit", &first, &blame));
	assert_true(guard_event_blame(GUARD_SINK, "audit", &second, &blame));
	assert_true(guard_event_blame(GUARD_SINK, "audit", &last, &blame));
}

static void a_call_is_hopeless_when_its_time_is_over_or_somebody_says_so(void **state)
{
	struct guard_note note = note_of(GUARD_PARSE, "fleet", 1, 1);
	(void)state;
	note.limit_ms = 1000;
	guard_enter(&note);
	assert_int_equal(guard_hung(clock_steady_ns()), -1);
	assert_int_not_equal(guard_hung(clock_steady_ns() + 2 * NS_PER_S), -1);
	guard_leave();
	assert_int_equal(guard_hung(clock_steady_ns() + 2 * NS_PER_S), -1);
	note.limit_ms = 0;
	uint64_t call = guard_enter(&note);
	assert_int_equal(guard_hung(clock_steady_ns() + 1000 * NS_PER_S), -1);
	guard_leave();
	guard_enter(&note);
	guard_condemn(call); /* that one is over */
	assert_int_equal(guard_hung(clock_steady_ns()), -1);
	guard_leave();
	guard_condemn(guard_enter(&note));
	assert_int_not_equal(guard_hung(clock_steady_ns()), -1);
	guard_leave();
}

static void a_call_about_one_event_can_be_asked_for_it(void **state)
{
	const struct guard_note one = note_of(GUARD_ACT, "audit", 7, 7), two = note_of(GUARD_ACT, "audit", 7, 8);
	struct id id;
	(void)state;
	assert_false(guard_event_at_hand(&id));
	guard_enter(&two);
	assert_false(guard_event_at_hand(&id));
	guard_leave();
	guard_enter(&one);
	assert_true(guard_event_at_hand(&id));
	assert_memory_equal(&id, &one.first.id, sizeof id);
	guard_leave();
	assert_false(guard_event_at_hand(&id));
}

static void the_log_is_told_who_it_was_and_with_what(void **state)
{
	const struct guard_note one = note_of(GUARD_ACT, "audit", 7, 7), two = note_of(GUARD_ACT, "audit", 8, 9);
	struct guard_obituary about;
	(void)state;
	guard_enter(&one);
	assert_true(guard_bury(SIGSEGV, -1, &about));
	assert_int_equal(about.side, GUARD_SINK);
	assert_string_equal(about.instance, "audit");
	assert_string_equal(about.plugin, "acme");
	assert_true(about.has_event);
	assert_memory_equal(&about.event, &one.first.id, sizeof about.event);
	atomic_store(&guard_own_slot()->tid, 1);
	guard_leave();
	guard_enter(&two);
	assert_true(guard_bury(SIGSEGV, -1, &about));
	assert_false(about.has_event);
	atomic_store(&guard_own_slot()->tid, 1);
	guard_leave();
	assert_false(guard_bury(SIGKILL, -1, &about));
	assert_string_equal(about.plugin, "");
	atomic_store(&guard_own_slot()->tid, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_third_crash_is_an_events_last, setup),
		cmocka_unit_test_setup(all_events_of_a_call_are_suspects, setup),
		cmocka_unit_test_setup(who_was_killed_is_not_to_blame, setup),
		cmocka_unit_test_setup(an_instance_that_only_crashes_is_left_alone_for_a_while, setup),
		cmocka_unit_test_setup(who_is_left_alone_for_a_while_is_made_all_the_same, setup),
		cmocka_unit_test_setup(a_thread_of_a_plugin_speaks_for_the_only_call_of_it, setup),
		cmocka_unit_test_setup(a_plugin_whose_threads_crash_is_left_out, setup),
		cmocka_unit_test_setup(of_several_suspects_one_is_called_at_a_time, setup),
		cmocka_unit_test_setup(what_was_written_over_does_not_harm_the_supervisor, setup),
		cmocka_unit_test_setup(what_cannot_be_made_is_left_out_until_forgiven, setup),
		cmocka_unit_test_setup(a_flood_of_poison_closes_the_source_though_others_get_through, setup),
		cmocka_unit_test_setup(a_request_outlives_its_worker, setup),
		cmocka_unit_test_setup(a_request_that_cannot_be_read_is_given_up, setup),
		cmocka_unit_test_setup(the_oldest_is_forgotten_when_there_are_too_many, setup),
		cmocka_unit_test_setup(a_call_is_hopeless_when_its_time_is_over_or_somebody_says_so, setup),
		cmocka_unit_test_setup(a_call_about_one_event_can_be_asked_for_it, setup),
		cmocka_unit_test_setup(the_log_is_told_who_it_was_and_with_what, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
