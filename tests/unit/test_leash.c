/* Stopping a thread that may be stuck in a plugin. */
#include "fetch/leash.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

struct worker {
	struct leash leash;
	pthread_t thread;
	atomic_bool stuck;  /* the call lasts as long as this is set */
	atomic_bool inside; /* the call */
	atomic_uint calls, kept;
	bool idle;
};

static void *work(void *ctx)
{
	struct worker *w = ctx;
	while (leash_wait(&w->leash, w->idle && atomic_load(&w->calls) ? 3600000 : 0)) {
		leash_calls(&w->leash);
		atomic_store(&w->inside, true);
		while (atomic_load(&w->stuck))
			usleep(500);
		atomic_fetch_add(&w->calls, 1);
		atomic_store(&w->inside, false);
		if (!leash_returns(&w->leash))
			return NULL;
		atomic_fetch_add(&w->kept, 1);
	}
	leash_ends(&w->leash);
	return NULL;
}

static void begin(struct worker *w)
{
	leash_init(&w->leash);
	assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

static void an_idle_thread_ends_at_once(void **state)
{
	struct worker w = { .idle = true };
	(void)state;
	begin(&w);
	while (!atomic_load(&w.calls))
		usleep(500);
	int64_t began_ns = clock_steady_ns();
	assert_false(leash_stopping(&w.leash));
	leash_ask_to_stop(&w.leash);
	assert_true(leash_stopping(&w.leash));
	assert_true(leash_wait_for_end(&w.leash, 60000));
	assert_true(clock_steady_ns() - began_ns < 20 * NS_PER_S);
	pthread_join(w.thread, NULL);
	leash_fini(&w.leash);
}

static void a_call_that_comes_back_in_time_is_kept(void **state)
{
	struct worker w = { .stuck = true };
	(void)state;
	begin(&w);
	while (!atomic_load(&w.inside))
		usleep(500);
	leash_ask_to_stop(&w.leash);
	atomic_store(&w.stuck, false);
	assert_true(leash_wait_for_end(&w.leash, 60000));
	pthread_join(w.thread, NULL);
	assert_int_equal(atomic_load(&w.kept), 1);
	leash_fini(&w.leash);
}

static void a_call_that_does_not_is_abandoned_and_touches_nothing(void **state)
{
	struct worker w = { .stuck = true };
	(void)state;
	begin(&w);
	while (!atomic_load(&w.inside))
		usleep(500);
	leash_ask_to_stop(&w.leash);
	assert_false(leash_wait_for_end(&w.leash, 30));
	atomic_store(&w.stuck, false);
	pthread_join(w.thread, NULL);
	assert_int_equal(atomic_load(&w.calls), 1);
	assert_int_equal(atomic_load(&w.kept), 0);
	leash_fini(&w.leash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_thread_ends_at_once),
		cmocka_unit_test(a_call_that_comes_back_in_time_is_kept),
		cmocka_unit_test(a_call_that_does_not_is_abandoned_and_touches_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
