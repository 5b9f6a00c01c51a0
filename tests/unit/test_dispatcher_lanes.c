/* Several calls of a sink at once, calls that never return, order by subject, and what a day without the destination
 * leaves behind. Time can be moved: --wrap=clock_steady_ns, clock_wall_ns, pthread_cond_timedwait. */
#include "dispatcher_rig.h"

static _Atomic int64_t moved_ns; /* how far the clocks are ahead of the true ones */
static atomic_bool waits_are_short;

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

int __real_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
	struct timespec soon;
	if (!atomic_load(&waits_are_short))
		return __real_pthread_cond_timedwait(cond, lock, until);
	clock_gettime(CLOCK_MONOTONIC, &soon);
	int64_t ns = soon.tv_sec * NS_PER_S + soon.tv_nsec + 2 * NS_PER_MS;
	soon = (struct timespec){ ns / NS_PER_S, ns % NS_PER_S };
	return __real_pthread_cond_timedwait(cond, lock, &soon);
}

/* ---- A sink whose calls wait for a gate, and which is called from several threads. */

static struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open, released; /* released: also for those that hang */
	unsigned inside;
	unsigned blocked_from, blocked_to; /* events that wait for the gate */
	unsigned done[EVENTS_MAX];         /* how often */
	unsigned sequence[EVENTS_MAX], n_sequence;
	unsigned failures_left[EVENTS_MAX];
	unsigned created, destroyed;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER };

static patchbay_status gate_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	(void)host, (void)call, (void)options;
	pthread_mutex_lock(&gate.lock);
	gate.created++;
	pthread_mutex_unlock(&gate.lock);
	*self = &gate;
	return PATCHBAY_OK;
}

static void gate_destroy(void *self)
{
	(void)self;
	pthread_mutex_lock(&gate.lock);
	gate.destroyed++;
	pthread_mutex_unlock(&gate.lock);
}

static unsigned number_of(const patchbay_delivery *event)
{
	unsigned number = 0;
	if (sscanf(event->data.p, "{\"n\":%u}", &number) != 1 || number >= EVENTS_MAX)
		abort();
	return number;
}

static void gate_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		     patchbay_result *results, patchbay_str *checkpoint)
{
	(void)self, (void)call, (void)checkpoint;
	pthread_mutex_lock(&gate.lock);
	gate.inside++;
	for (size_t i = 0; i < n; i++) {
		unsigned number = number_of(events[i]);
		while (number >= gate.blocked_from && number <= gate.blocked_to && !gate.open && !gate.released)
			pthread_cond_wait(&gate.opened, &gate.lock);
		if (gate.failures_left[number]) {
			gate.failures_left[number]--;
			results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, PATCHBAY_S("not yet") };
			continue;
		}
		gate.done[number]++;
		if (gate.n_sequence < EVENTS_MAX)
			gate.sequence[gate.n_sequence++] = number;
		results[i].status = PATCHBAY_OK;
	}
	gate.inside--;
	pthread_mutex_unlock(&gate.lock);
}

static const patchbay_sink gate_side = {
	.size = sizeof(gate_side),
	.options_size = sizeof(struct options),
	.create = gate_create,
	.destroy = gate_destroy,
	.act = gate_act,
};

static void open_gate(bool also_hung)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = true;
	gate.released |= also_hung;
	pthread_cond_broadcast(&gate.opened);
	pthread_mutex_unlock(&gate.lock);
}

static unsigned gate_count(const unsigned *value)
{
	pthread_mutex_lock(&gate.lock);
	unsigned got = *value;
	pthread_mutex_unlock(&gate.lock);
	return got;
}

static void block(unsigned from, unsigned to)
{
	gate.blocked_from = from;
	gate.blocked_to = to;
}

static int setup_gate(void **state)
{
	gate.open = gate.released = false;
	pthread_mutex_lock(&gate.lock);
	gate.inside = gate.n_sequence = gate.created = gate.destroyed = 0;
	block(EVENTS_MAX, EVENTS_MAX);
	memset(gate.done, 0, sizeof(gate.done));
	memset(gate.failures_left, 0, sizeof(gate.failures_left));
	pthread_mutex_unlock(&gate.lock);
	atomic_store(&moved_ns, 0);
	atomic_store(&waits_are_short, false);
	int r = setup(state);
	plugin.sink = &gate_side;
	t.sinks[0].batch_events = 1;
	return r;
}

static int teardown_gate(void **state)
{
	open_gate(true);
	int r = teardown(state);
	AWAIT(gate_count(&gate.destroyed) == gate_count(&gate.created)); /* strays may come back after it */
	return r;
}

/* ---- Concurrency */

static void as_many_calls_at_once_as_are_asked_for(void **state)
{
	(void)state;
	t.sinks[0].concurrency = 4;
	block(0, 9);
	start();
	append(20);
	AWAIT(gate_count(&gate.inside) == 4);
	open_gate(false);
	AWAIT(stats(0).done == 20);
}

static void a_slow_call_holds_up_no_other_and_nothing_is_repeated(void **state)
{
	(void)state;
	t.sinks[0].concurrency = 4;
	block(3, 3);
	start();
	append(200);
	AWAIT(stats(0).done == 199);
	assert_int_equal(journal_pos_cmp(stats(0).cursor, journal_end(t.journal)), -1);
	assert_int_equal(standing_of("s0", 199).state.state, JOURNAL_STATE_DONE);
	assert_int_equal(standing_of("s0", 3).state.state, JOURNAL_STATE_OWED);
	open_gate(false);
	AWAIT(stats(0).done == 200);
	AWAIT(journal_pos_cmp(stats(0).cursor, journal_end(t.journal)) == 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(gate.done[i], 1);
}

static void what_is_settled_ahead_is_not_repeated_after_a_restart(void **state)
{
	(void)state;
	t.sinks[0].concurrency = 4;
	t.sinks[0].timeout_ms = 100; /* the stop does not wait: the call is left behind */
	t.sinks[0].retry.initial_ms = t.sinks[0].retry.max_ms = 3600000;
	block(3, 3);
	start();
	append(100);
	AWAIT(stats(0).done == 99);
	AWAIT(stats(0).strays == 1); /* abandoned: parked, for an hour */
	AWAIT(stats(0).parked == 1);
	assert_int_equal(dispatcher_stop(t.dispatcher), 1);
	t.dispatcher = NULL;
	assert_int_equal(standing_of("s0", 3).state.state, JOURNAL_STATE_PARKED);
	journal_close(t.journal);
	open_journal();
	start();
	append(20);
	AWAIT(stats(0).done == 20);
	for (unsigned i = 0; i < 120; i++)
		assert_int_equal(gate.done[i], i == 3 ? 0 : 1);
}

/* ---- Calls that do not return */

static void a_call_that_never_returns_costs_only_its_event(void **state)
{
	(void)state;
	t.sinks[0].timeout_ms = 100;
	block(1, 1);
	start();
	append(30);
	AWAIT(stats(0).done == 29);
	AWAIT(stats(0).dead == 1);
	struct standing standing = standing_of("s0", 1);
	assert_string_equal(standing.class_, "plugin");
	assert_non_null(strstr(standing.why, "did not return"));
	assert_int_equal(stats(0).strays, 3);
	open_gate(true); /* they come back late: that changes nothing */
	AWAIT(stats(0).strays == 0);
	assert_int_equal(stats(0).done, 29);
	assert_int_equal(gate_count(&gate.destroyed), 3);
	append(5);
	AWAIT(stats(0).done == 34);
}

static void one_that_hangs_is_found_in_a_batch(void **state)
{
	(void)state;
	t.sinks[0].timeout_ms = 100;
	t.sinks[0].batch_events = 10;
	block(4, 4);
	start();
	stop();
	append(10);
	start();
	AWAIT(stats(0).done == 9 && stats(0).dead == 1);
	assert_string_equal(standing_of("s0", 4).class_, "plugin");
}

/* ---- Order */

static void later_events_of_a_subject_wait_for_the_earlier(void **state)
{
	(void)state;
	t.subjects = 5;
	t.sinks[0].order_subject = true;
	t.sinks[0].concurrency = 3;
	t.sinks[0].retry.initial_ms = 5;
	gate.failures_left[7] = 3; /* subject 2 */
	gate.failures_left[12] = 1;
	start();
	append(100);
	AWAIT(stats(0).done == 100);
	unsigned last[5] = { 0 }, seen[5] = { 0 };
	for (unsigned i = 0; i < 100; i++) {
		unsigned n = gate.sequence[i], subject = n % 5;
		if (seen[subject]++)
			assert_true(n > last[subject]);
		last[subject] = n;
	}
	assert_int_equal(stats(0).dead, 0);
	assert_true(stats(0).parked >= 1);
}

static void what_waits_goes_on_after_a_restart_and_after_a_death(void **state)
{
	(void)state;
	int64_t delays[] = { 1 };
	t.subjects = 2;
	t.sinks[0].order_subject = true;
	t.sinks[0].retry = (struct config_retry){ .initial_ms = 3600000, .factor = 1, .max_ms = 3600000 };
	gate.failures_left[0] = 1000;
	start();
	append(20); /* all even ones wait for the first */
	AWAIT(stats(0).done == 10 && stats(0).parked == 10);
	stop();
	assert_int_equal(standing_of("s0", 8).state.state, JOURNAL_STATE_PARKED);
	t.sinks[0].retry = (struct config_retry){ .delays_ms = delays, .n_delays = 1 };
	atomic_store(&moved_ns, 3601 * NS_PER_S);
	start();
	AWAIT(stats(0).dead == 1 && stats(0).done == 9);
	assert_int_equal(standing_of("s0", 18).state.state, JOURNAL_STATE_DONE);
	for (unsigned i = 11; i < 19; i++)
		assert_true(gate.sequence[i] > gate.sequence[i - 1]);
}

/* ---- UNTOUCHED, attempts on record, configuration, replay */

static patchbay_status only_the_first(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)times;
	static unsigned last_act;
	bool first = act != last_act || script->n_order == 1;
	last_act = act;
	(void)n;
	return first ? PATCHBAY_OK : PATCHBAY_UNTOUCHED;
}

static void what_is_left_untouched_is_handed_over_again(void **state)
{
	(void)state;
	plugin.sink = &sink_side;
	t.sinks[0].batch_events = 10;
	scripts[0].decide = only_the_first;
	start();
	stop();
	append(25);
	start();
	AWAIT(stats(0).done == 25);
	assert_int_equal(stats(0).retried, 0);
	assert_int_equal(scripts[0].acts, 25);
	assert_int_equal(scripts[0].last_attempt[24], 1);
	for (unsigned i = 0; i < 25; i++)
		assert_int_equal(scripts[0].order[i], i);
}

static void count_attempt(void *ctx, const struct journal_attempt *attempt)
{
	struct buf *out = ctx;
	buf_addf(out, "%u %s;", attempt->number, attempt->result);
}

static patchbay_status down_twice(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times;
	return act <= 2 ? PATCHBAY_DOWN : PATCHBAY_OK;
}

static void attempts_that_the_destination_spoiled_are_on_record(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct err err = { 0 };
	plugin.sink = &sink_side;
	scripts[0].decide = down_twice;
	start();
	append(1);
	AWAIT(stats(0).done == 1);
	assert_int_equal(journal_attempts(t.journal, &t.ids[0], count_attempt, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "1 failed;2 failed;3 done;");
	buf_free(&out);
}

static patchbay_status wrongly_configured(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)times, (void)act;
	return n < 30 ? PATCHBAY_ECONFIG : PATCHBAY_OK;
}

static void a_wrong_configuration_kills_few_and_then_waits(void **state)
{
	(void)state;
	plugin.sink = &sink_side;
	t.sinks[0].retry = (struct config_retry){ .initial_ms = 3600000, .factor = 1, .max_ms = 3600000 };
	scripts[0].decide = wrongly_configured;
	start();
	append(50);
	AWAIT(stats(0).dead == 20);
	AWAIT(stats(0).trouble_since_ms != 0);
	assert_int_equal(stats(0).done, 0);
	assert_string_equal(standing_of("s0", 19).class_, "configuration");
	assert_int_equal(standing_of("s0", 20).state.state, JOURNAL_STATE_OWED);
}

static void a_replayed_dead_letter_is_owed_again(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct err err = { 0 };
	struct journal_reader *reader = journal_reader_open(t.journal);
	struct journal_record record;
	struct journal_replay replay = { 0 };
	plugin.sink = &sink_side;
	scripts[0].decide = wrongly_configured;
	start();
	append(1);
	AWAIT(stats(0).dead == 1);
	scripts[0].decide = always_ok;
	replay.id = t.ids[0];
	assert_int_equal(journal_find(reader, &t.ids[0], &record, &replay.at, &err), 1);
	journal_reader_close(reader);
	struct journal *operator= journal_open_operator(t.path, &err);
	if (!operator)
		fail_msg("%s", err.text);
	assert_int_equal(
		journal_replay(operator, "s0", &replay, 1, clock_wall_ns() / NS_PER_MS, STR("by the test"), &err), 0);
	journal_close(operator);
	AWAIT(stats(0).done == 1); /* the dispatcher notices by itself */
	assert_int_equal(journal_attempts(t.journal, &t.ids[0], count_attempt, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "1 dead;1 replayed;1 done;");
	buf_free(&out);
}

/* ---- A day without the destination */

static atomic_bool is_down;

static patchbay_status while_down(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times, (void)act;
	return atomic_load(&is_down) ? PATCHBAY_DOWN : PATCHBAY_OK;
}

/* For tests that call move_time(): a call that is under way meanwhile must not seem to take hours. */
static void move_time_freely(void)
{
	t.sinks[0].timeout_ms = INT64_C(30) * 86400000;
	atomic_store(&waits_are_short, true);
}

static void move_time(int64_t hours)
{
	for (int64_t i = 0; i < hours * 12; i++) { /* five minutes at a time, so that all that is due happens */
		atomic_fetch_add(&moved_ns, 300 * NS_PER_S);
		nanosleep(&(struct timespec){ .tv_nsec = 3 * NS_PER_MS }, NULL);
	}
}

static void a_day_without_the_destination_loses_nothing_and_hammers_nobody(void **state)
{
	(void)state;
	plugin.sink = &sink_side;
	scripts[0].decide = while_down;
	t.sinks[0].retry =
		(struct config_retry){ .initial_ms = 1000, .factor = 2, .max_ms = 3600000, .give_up_ms = 72 * 3600000 };
	t.sinks[0].batch_events = 100;
	atomic_store(&is_down, true);
	move_time_freely();
	start();
	append(500);
	AWAIT(stats(0).trouble_since_ms != 0);
	move_time(24);
	append(100);
	unsigned acts = locked(0, &scripts[0].acts);
	assert_in_range(acts, 20, 80); /* a dozen within the first hour, then one or two in each */
	atomic_store(&is_down, false);
	move_time(2);
	AWAIT(stats(0).done == 600);
	assert_int_equal(stats(0).dead, 0);
	AWAIT(stats(0).trouble_since_ms == 0);
}

static void what_was_owed_for_too_long_is_dead_and_newer_is_not(void **state)
{
	(void)state;
	plugin.sink = &sink_side;
	scripts[0].decide = while_down;
	t.sinks[0].retry =
		(struct config_retry){ .initial_ms = 1000, .factor = 2, .max_ms = 3600000, .give_up_ms = 6 * 3600000 };
	atomic_store(&is_down, true);
	move_time_freely();
	start();
	append(50);
	AWAIT(stats(0).trouble_since_ms != 0);
	move_time(4);
	append(30);
	move_time(4);
	AWAIT(stats(0).dead >= 35); /* some may be parked by now, each by itself */
	assert_string_equal(standing_of("s0", 40).class_, "destination");
	assert_int_equal(standing_of("s0", 79).state.state, JOURNAL_STATE_OWED);
	atomic_store(&is_down, false);
	move_time(2);
	AWAIT(stats(0).done + stats(0).dead == 80);
	assert_true(stats(0).done >= 30);
}

static void a_restart_does_not_make_trouble_younger(void **state)
{
	(void)state;
	plugin.sink = &sink_side;
	scripts[0].decide = while_down;
	t.sinks[0].retry =
		(struct config_retry){ .initial_ms = 1000, .factor = 2, .max_ms = 3600000, .give_up_ms = 6 * 3600000 };
	atomic_store(&is_down, true);
	move_time_freely();
	start();
	append(30);
	AWAIT(stats(0).trouble_since_ms != 0);
	int64_t since_ms = stats(0).trouble_since_ms;
	move_time(4);
	stop();
	start();
	AWAIT(stats(0).trouble_since_ms == since_ms);
	move_time(3);
	AWAIT(stats(0).dead >= 10);
	stop();
	atomic_store(&is_down, false);
	start();
	append(5);
	AWAIT(stats(0).done >= 5);
	stop();
	atomic_store(&is_down, true); /* new trouble is as young as it is */
	start();
	append(5);
	AWAIT(stats(0).trouble_since_ms > since_ms);
}

/* ---- What the destination asks for */

static unsigned asked_acts; /* under scripts[0].lock, as all of the script */

static void asking_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		       patchbay_result *results, patchbay_str *checkpoint)
{
	(void)self, (void)call, (void)events, (void)checkpoint;
	pthread_mutex_lock(&scripts[0].lock);
	asked_acts++;
	for (size_t i = 0; i < n; i++)
		results[i] = atomic_load(&is_down)
				     ? (patchbay_result){ PATCHBAY_DOWN, 3600000, PATCHBAY_S("in an hour, please") }
				     : (patchbay_result){ PATCHBAY_OK, 0, PATCHBAY_S("") };
	pthread_mutex_unlock(&scripts[0].lock);
}

static void what_the_destination_asks_for_outlives_a_restart(void **state)
{
	(void)state;
	patchbay_sink asking = gate_side;
	asking.act = asking_act;
	plugin.sink = &asking;
	t.sinks[0].batch_events = 10;
	asked_acts = 0;
	atomic_store(&is_down, true);
	move_time_freely();
	start();
	append(1);
	AWAIT(locked(0, &asked_acts) == 1);
	AWAIT(stats(0).trouble_since_ms != 0);
	stop();
	start();
	append(9);
	atomic_store(&is_down, false);
	for (int i = 0; i < 11; i++) { /* 55 minutes */
		atomic_fetch_add(&moved_ns, 300 * NS_PER_S);
		nanosleep(&(struct timespec){ .tv_nsec = 3 * NS_PER_MS }, NULL);
	}
	assert_int_equal(locked(0, &asked_acts), 1);
	move_time(1);
	AWAIT(stats(0).done == 10);
	assert_int_equal(locked(0, &asked_acts), 2); /* it works: no need to try with one event first */
	stop();
	plugin.sink = &gate_side;
}

static unsigned poison_times;

static patchbay_status one_is_always_down(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)act;
	if (n == 2)
		poison_times = times;
	return n == 2 ? PATCHBAY_DOWN : PATCHBAY_OK;
}

static void one_event_that_upsets_the_destination_does_not_stop_the_others(void **state)
{
	(void)state;
	plugin.sink = &sink_side;
	scripts[0].decide = one_is_always_down;
	t.sinks[0].retry = (struct config_retry){ .initial_ms = 5, .factor = 1, .max_ms = 5, .give_up_ms = 3600000 };
	start();
	append(20);
	AWAIT(stats(0).done == 19);
	AWAIT(locked(0, &poison_times) > 6); /* parked, and tried again and again: that is about it alone */
	AWAIT(stats(0).trouble_since_ms == 0);
	append(20);
	AWAIT(stats(0).done == 39);
}

#define GATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_gate, teardown_gate)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GATE_TEST(as_many_calls_at_once_as_are_asked_for),
		GATE_TEST(a_slow_call_holds_up_no_other_and_nothing_is_repeated),
		GATE_TEST(what_is_settled_ahead_is_not_repeated_after_a_restart),
		GATE_TEST(a_call_that_never_returns_costs_only_its_event),
		GATE_TEST(one_that_hangs_is_found_in_a_batch),
		GATE_TEST(later_events_of_a_subject_wait_for_the_earlier),
		GATE_TEST(what_waits_goes_on_after_a_restart_and_after_a_death),
		GATE_TEST(what_is_left_untouched_is_handed_over_again),
		GATE_TEST(attempts_that_the_destination_spoiled_are_on_record),
		GATE_TEST(a_wrong_configuration_kills_few_and_then_waits),
		GATE_TEST(a_replayed_dead_letter_is_owed_again),
		GATE_TEST(a_day_without_the_destination_loses_nothing_and_hammers_nobody),
		GATE_TEST(what_was_owed_for_too_long_is_dead_and_newer_is_not),
		GATE_TEST(a_restart_does_not_make_trouble_younger),
		GATE_TEST(what_the_destination_asks_for_outlives_a_restart),
		GATE_TEST(one_event_that_upsets_the_destination_does_not_stop_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
