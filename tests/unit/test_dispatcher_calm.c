/* What must not happen when there is nothing to do, or when several calls fail or hang at once: a thread that spins, a
 * breaker that counts one failure many times, a lane that stands idle while there is work. */
#include "dispatcher_rig.h"

#include <limits.h>

/* ---- How often any thread goes to wait. */

static atomic_uint waits;

int __real_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
	atomic_fetch_add(&waits, 1);
	return __real_pthread_cond_timedwait(cond, lock, until);
}

static void assert_calm(void)
{
	unsigned before = atomic_load(&waits);
	nanosleep(&(struct timespec){ .tv_nsec = 200 * NS_PER_MS }, NULL);
	assert_in_range(atomic_load(&waits) - before, 0, 100);
}

/* ---- A journal in which much is settled ahead of the cursor. */

static size_t many_ahead;

int __real_journal_settled_ahead(struct journal *, const char *, struct journal_pos, struct journal_pos **, size_t *,
				 struct err *);
int __wrap_journal_settled_ahead(struct journal *, const char *, struct journal_pos, struct journal_pos **, size_t *,
				 struct err *);
int __wrap_journal_settled_ahead(struct journal *journal, const char *sink, struct journal_pos from,
				 struct journal_pos **ret, size_t *n, struct err *err)
{
	if (!many_ahead)
		return __real_journal_settled_ahead(journal, sink, from, ret, n, err);
	*ret = xcalloc(many_ahead, sizeof(**ret));
	*n = many_ahead;
	for (size_t i = 0; i < many_ahead; i++)
		(*ret)[i] = (struct journal_pos){ INT32_MAX, i * 8 };
	return 0;
}

/* ---- A sink whose calls wait until they are let go. */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned inside, let_go; /* how many calls may return by now; UINT_MAX: all */
	unsigned acts, times[EVENTS_MAX];
	patchbay_status (*decide)(unsigned n, unsigned times, bool *ret_waits, uint32_t *ret_after_ms);
} held = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static patchbay_status held_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	(void)host, (void)call, (void)options;
	*self = &held;
	return PATCHBAY_OK;
}

static void held_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		     patchbay_result *results, patchbay_str *checkpoint)
{
	(void)self, (void)call, (void)checkpoint;
	pthread_mutex_lock(&held.lock);
	held.acts++;
	for (size_t i = 0; i < n; i++) {
		unsigned number = 0;
		bool must_wait = false;
		if (sscanf(events[i]->data.p, "{\"n\":%u}", &number) != 1 || number >= EVENTS_MAX)
			abort();
		results[i].why = PATCHBAY_S("the test says so");
		results[i].status = held.decide(number, ++held.times[number], &must_wait, &results[i].after_ms);
		held.inside += must_wait;
		while (must_wait && !held.let_go)
			pthread_cond_wait(&held.changed, &held.lock);
		held.inside -= must_wait;
		held.let_go -= must_wait && held.let_go != UINT_MAX;
	}
	pthread_mutex_unlock(&held.lock);
}

static const patchbay_sink held_side = {
	.size = sizeof(held_side),
	.options_size = sizeof(struct options),
	.create = held_create,
	.destroy = sink_destroy,
	.act = held_act,
};

static unsigned held_count(const unsigned *value)
{
	pthread_mutex_lock(&held.lock);
	unsigned got = *value;
	pthread_mutex_unlock(&held.lock);
	return got;
}

static void let_go(unsigned how_many)
{
	pthread_mutex_lock(&held.lock);
	held.let_go = how_many;
	pthread_cond_broadcast(&held.changed);
	pthread_mutex_unlock(&held.lock);
}

static int setup_held(void **state)
{
	held.inside = held.let_go = held.acts = 0;
	memset(held.times, 0, sizeof(held.times));
	many_ahead = 0;
	int r = setup(state);
	plugin.sink = &held_side;
	t.sinks[0].batch_events = 1;
	return r;
}

static int teardown_held(void **state)
{
	let_go(UINT_MAX);
	return teardown(state);
}

/* ---- Spinning */

static patchbay_status misconfigured(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	(void)n, (void)times, (void)waits_, (void)after_ms;
	return PATCHBAY_ECONFIG;
}

static void a_breaker_without_anything_to_probe_with_is_calm(void **state)
{
	(void)state;
	held.decide = misconfigured;
	start();
	append(20);
	AWAIT(stats(0).dead == 20 && stats(0).trouble_since_ms);
	assert_calm();
	append(1); /* it probes, all the same */
	AWAIT(stats(0).dead == 21);
}

static patchbay_status retried_then_held(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	(void)after_ms;
	*waits_ = n == 0 && times == 2;
	return n == 0 && times == 1 ? PATCHBAY_RETRY : PATCHBAY_OK;
}

static void lingering_is_calm_while_another_call_is_in_hand(void **state)
{
	(void)state;
	int64_t delays[] = { 100 };
	t.sinks[0].retry = (struct config_retry){ .delays_ms = delays, .n_delays = 1 };
	t.sinks[0].batch_events = 10;
	t.sinks[0].batch_linger_ms = 200;
	held.decide = retried_then_held;
	start();
	append(1);
	AWAIT(stats(0).parked == 1);
	append(1); /* lingers, and is overtaken by the other one, whose call does not return */
	AWAIT(held_count(&held.inside) == 1);
	nanosleep(&(struct timespec){ .tv_nsec = 200 * NS_PER_MS }, NULL); /* no lingering any more */
	assert_calm();
	let_go(UINT_MAX);
	AWAIT(stats(0).done == 2);
}

/* ---- Several calls at once */

static patchbay_status all_down_at_first(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	(void)n, (void)after_ms;
	*waits_ = times == 1;
	return times == 1 ? PATCHBAY_DOWN : PATCHBAY_OK;
}

static void calls_that_fail_together_are_one_failure(void **state)
{
	(void)state;
	t.sinks[0].concurrency = 8;
	t.sinks[0].retry = (struct config_retry){ .initial_ms = 20, .factor = 10, .max_ms = 3600000 };
	held.decide = all_down_at_first;
	start();
	append(8);
	AWAIT(held_count(&held.inside) == 8);
	let_go(UINT_MAX);
	AWAIT(stats(0).done == 8); /* and not after hours */
}

static patchbay_status second_is_told_to_wait(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	*waits_ = n == 0;
	*after_ms = n == 1 && times == 1 ? 3600000 : 0;
	return n == 1 && times == 1 ? PATCHBAY_DOWN : PATCHBAY_OK;
}

static void a_call_that_was_under_way_does_not_shorten_what_the_destination_asked_for(void **state)
{
	(void)state;
	t.sinks[0].concurrency = 2;
	held.decide = second_is_told_to_wait;
	start();
	append(1);
	AWAIT(held_count(&held.inside) == 1);
	append(1);
	AWAIT(stats(0).trouble_since_ms);
	let_go(UINT_MAX);
	AWAIT(stats(0).done == 1);
	append(3);
	assert_calm();
	assert_int_equal(held_count(&held.acts), 2);
	assert_int_not_equal(stats(0).trouble_since_ms, 0);
}

static patchbay_status retried_and_then_all_held(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	(void)after_ms;
	*waits_ = times > 1 || n >= 2;
	return times == 1 && n < 2 ? PATCHBAY_RETRY : PATCHBAY_OK;
}

static void parked_ones_in_hand_leave_the_other_lanes_to_fresh_ones(void **state)
{
	(void)state;
	t.sinks[0].concurrency = 5;
	held.decide = retried_and_then_all_held;
	start();
	append(2);
	AWAIT(held_count(&held.inside) == 2);
	append(3);
	AWAIT(held_count(&held.inside) == 5);
	let_go(UINT_MAX);
	AWAIT(stats(0).done == 5);
}

static patchbay_status nothing_returns(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	(void)n, (void)times, (void)after_ms;
	*waits_ = true;
	return PATCHBAY_OK;
}

static void a_sink_without_any_lane_left_is_in_trouble_until_one_comes_back(void **state)
{
	(void)state;
	t.sinks[0].timeout_ms = 100;
	held.decide = nothing_returns;
	start();
	append(3);
	AWAIT(stats(0).strays == 4 && stats(0).trouble_since_ms);
	assert_calm();
	let_go(UINT_MAX);
	AWAIT(stats(0).done + stats(0).dead == 3);
	AWAIT(stats(0).trouble_since_ms == 0 && stats(0).strays == 0);
}

static patchbay_status fine(unsigned n, unsigned times, bool *waits_, uint32_t *after_ms)
{
	(void)n, (void)times, (void)waits_, (void)after_ms;
	return PATCHBAY_OK;
}

static void a_start_with_much_settled_ahead_goes_on(void **state)
{
	(void)state;
	held.decide = fine;
	many_ahead = 65536;
	start();
	append(3);
	AWAIT(stats(0).done == 3);
}

#define HELD_TEST(name) cmocka_unit_test_setup_teardown(name, setup_held, teardown_held)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HELD_TEST(a_breaker_without_anything_to_probe_with_is_calm),
		HELD_TEST(lingering_is_calm_while_another_call_is_in_hand),
		HELD_TEST(calls_that_fail_together_are_one_failure),
		HELD_TEST(a_call_that_was_under_way_does_not_shorten_what_the_destination_asked_for),
		HELD_TEST(parked_ones_in_hand_leave_the_other_lanes_to_fresh_ones),
		HELD_TEST(a_sink_without_any_lane_left_is_in_trouble_until_one_comes_back),
		HELD_TEST(a_start_with_much_settled_ahead_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
