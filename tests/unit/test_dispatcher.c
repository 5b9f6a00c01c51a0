/* What a plugin answers decides what becomes of each event, and nothing is lost or repeated. */
#include "dispatcher_rig.h"

/* ---- The tests. */

static void every_event_once_in_order_and_again_after_a_restart(void **state)
{
	(void)state;
	start();
	append(1500);
	AWAIT(stats(0).done == 1500);
	stop();
	for (unsigned i = 0; i < 1500; i++)
		assert_int_equal(scripts[0].order[i], i);
	assert_in_range(scripts[0].largest, 1, 100);
	append(250); /* nobody is there */
	journal_close(t.journal);
	open_journal();
	start();
	append(250);
	AWAIT(stats(0).done == 500);
	stop();
	assert_int_equal(scripts[0].n_order, 2000);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(scripts[0].times[i], 1);
	assert_int_equal(standing_of("s0", 1999).state.state, JOURNAL_STATE_DONE);
}

static patchbay_status threes_later(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)act;
	return n % 3 == 0 && times < 3 ? PATCHBAY_RETRY : PATCHBAY_OK;
}

static void some_to_be_retried_are_parked_and_hold_up_nobody(void **state)
{
	(void)state;
	scripts[0].decide = threes_later;
	start();
	stop(); /* the cursor is at the start now, and the first batch will be full */
	append(30);
	start();
	AWAIT(stats(0).done == 30);
	struct dispatcher_stats s = stats(0);
	assert_int_equal(s.parked, 10);
	assert_int_equal(s.retried, 20);
	assert_int_equal(s.trouble_since_ms, 0);
	assert_string_equal(s.reason, "");
	stop();
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(scripts[0].times[i], i % 3 ? 1 : 3);
		assert_int_equal(scripts[0].last_attempt[i], i % 3 ? 1 : 3);
	}
	assert_int_equal(standing_of("s0", 3).state.state, JOURNAL_STATE_DONE);
	assert_int_equal(standing_of("s0", 3).state.attempts, 3);
}

static patchbay_status fives_are_bad(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)times, (void)act;
	return n % 5 == 0 ? PATCHBAY_EBADEVENT : PATCHBAY_OK;
}

static void bad_events_are_dead_with_the_reason(void **state)
{
	(void)state;
	scripts[0].decide = fives_are_bad;
	start();
	append(20);
	AWAIT(stats(0).done == 16 && stats(0).dead == 4);
	stop();
	struct standing standing = standing_of("s0", 5);
	assert_int_equal(standing.state.state, JOURNAL_STATE_DEAD);
	assert_string_equal(standing.class_, "event");
	assert_string_equal(standing.why, "the script says so");
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(scripts[0].times[i], 1);
}

static patchbay_status down_at_first(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times;
	return act <= 2 ? PATCHBAY_DOWN : PATCHBAY_OK;
}

static void a_destination_that_is_down_parks_no_events(void **state)
{
	(void)state;
	scripts[0].decide = down_at_first;
	start();
	stop();
	append(50);
	start();
	AWAIT(stats(0).done == 50);
	struct dispatcher_stats s = stats(0);
	assert_int_equal(s.parked, 0);
	assert_int_equal(s.dead, 0);
	assert_int_equal(s.trouble_since_ms, 0);
	assert_string_equal(s.reason, "the script says so");
	stop();
	assert_int_equal(scripts[0].times[0], 3); /* the batch, a probe that fails, one that works */
	for (unsigned i = 1; i < 50; i++)
		assert_int_equal(scripts[0].times[i], 2);
	assert_int_equal(scripts[0].last_attempt[0], 3);
	assert_int_equal(n_settles, 4); /* the attempts that failed, the probe, and the rest in one batch */
}

static patchbay_status again_once(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)n, (void)act;
	script->checkpoint = times == 1 ? "before" : "after";
	return times == 1 ? PATCHBAY_AGAIN : PATCHBAY_OK;
}

static void again_waits_for_the_checkpoint(void **state)
{
	(void)state;
	scripts[0].decide = again_once;
	start();
	AWAIT(locked(0, &scripts[0].resumes) == 1);
	stop();
	assert_string_equal(scripts[0].resumed_with, "");
	append(10);
	start();
	AWAIT(stats(0).done == 10);
	stop();
	assert_int_equal(scripts[0].acts, 2);
	assert_int_equal(n_settles, 2);
	assert_int_equal(acts_before_settle[0], 1);
	assert_string_equal(settled_checkpoints[0], "before");
	assert_string_equal(settled_checkpoints[1], "after");
	start();
	AWAIT(locked(0, &scripts[0].resumes) == 3);
	stop();
	assert_string_equal(scripts[0].resumed_with, "after");
}

static patchbay_status again_nine_times(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times;
	return act <= 9 ? PATCHBAY_AGAIN : PATCHBAY_OK;
}

static void again_without_end_is_a_failure(void **state)
{
	(void)state;
	scripts[0].decide = again_nine_times;
	start();
	append(1);
	AWAIT(stats(0).done == 1);
	assert_int_equal(stats(0).retried, 1);
	assert_int_equal(locked(0, &scripts[0].acts), 10);
}

static patchbay_status third_is_poison(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)act;
	return n == 3 && times < 8 ? PATCHBAY_RETRY : PATCHBAY_OK;
}

static void a_poison_event_does_not_block_those_behind_it(void **state)
{
	(void)state;
	scripts[0].decide = third_is_poison;
	t.sinks[0].batch_events = 1;
	t.sinks[0].retry.max_ms = 200;
	start();
	append(10);
	AWAIT(stats(0).done == 10);
	struct dispatcher_stats s = stats(0);
	assert_int_equal(s.parked, 1);
	assert_int_equal(s.trouble_since_ms, 0);
	stop();
	assert_int_equal(scripts[0].times[3], 8);
	assert_int_equal(scripts[0].last_attempt[3], 8);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(scripts[0].order[i], i);
	for (unsigned i = 4; i < 10; i++)
		assert_int_equal(scripts[0].times[i], 1);
}

static patchbay_status first_never(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)times, (void)act;
	return n == 0 ? PATCHBAY_RETRY : PATCHBAY_OK;
}

static void what_never_works_is_given_up(void **state)
{
	(void)state;
	int64_t delays[] = { 1, 1 };
	scripts[0].decide = first_never;
	t.sinks[0].retry = (struct config_retry){ .delays_ms = delays, .n_delays = 2 };
	start();
	stop();
	append(5);
	start();
	AWAIT(stats(0).dead == 1);
	stop();
	assert_int_equal(scripts[0].times[0], 3);
	struct standing standing = standing_of("s0", 0);
	assert_int_equal(standing.state.state, JOURNAL_STATE_DEAD);
	assert_int_equal(standing.state.attempts, 3);
	assert_string_equal(standing.class_, "gave up");
}

static patchbay_status never(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times, (void)act;
	return PATCHBAY_DOWN;
}

static void one_dead_sink_does_not_delay_another(void **state)
{
	(void)state;
	t.config.n_sinks = 2;
	t.sinks[1].retry.initial_ms = t.sinks[1].retry.max_ms = 3600000;
	scripts[1].decide = never;
	start();
	append(300);
	AWAIT(stats(0).done == 300);
	AWAIT(stats(1).trouble_since_ms != 0);
	assert_int_equal(stats(1).done, 0);
	assert_false(stats(1).at_end);
	AWAIT(stats(0).at_end); /* a moment after the last one is done */
	assert_int_equal(locked(1, &scripts[1].acts), 1);
	stop(); /* at once, however long the back-off */
	assert_int_equal(standing_of("s1", 0).state.state, JOURNAL_STATE_OWED);
}

static patchbay_status sink_is_bad_twice(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)times;
	return act == 1 && n < 2 ? PATCHBAY_OK : act <= 3 ? PATCHBAY_EBADSINK : PATCHBAY_OK;
}

static void a_bad_sink_keeps_what_it_did_and_waits(void **state)
{
	(void)state;
	scripts[0].decide = sink_is_bad_twice;
	start();
	stop();
	append(6);
	start();
	AWAIT(stats(0).done == 6);
	stop();
	assert_int_equal(scripts[0].times[0], 1);
	assert_int_equal(scripts[0].times[1], 1);
}

static void failing_settles_are_repeated_not_the_act(void **state)
{
	(void)state;
	atomic_store(&settle_failures, 3);
	start();
	append(1);
	AWAIT(stats(0).done == 1);
	assert_int_equal(atomic_load(&settles_failed), 3);
	append(5);
	AWAIT(stats(0).done == 6);
	stop();
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(scripts[0].times[i], 1);
}

static void stopped_with_an_unsettled_outcome_it_is_still_owed(void **state)
{
	(void)state;
	atomic_store(&settle_failures, 1000000);
	start();
	append(3);
	AWAIT(atomic_load(&settles_failed) > 0);
	stop();
	assert_int_equal(standing_of("s0", 0).state.state, JOURNAL_STATE_OWED);
	atomic_store(&settle_failures, 0);
	start();
	AWAIT(stats(0).done == 3);
	assert_int_equal(locked(0, &scripts[0].times[0]), 2);
}

static void only_what_is_routed_arrives_and_the_rest_is_passed(void **state)
{
	(void)state;
	patchbay_str types[] = { STR("other") };
	t.route.types = (patchbay_strs){ types, 1 };
	start();
	append(700);
	AWAIT(stats(0).done == 100);
	AWAIT(journal_pos_cmp(stats(0).cursor, journal_end(t.journal)) == 0); /* settled, though nothing to act on */
	stop();
	assert_int_equal(scripts[0].n_order, 100);
	assert_int_equal(scripts[0].order[0], 6);
}

static void a_failing_when_is_a_skip_with_its_reason(void **state)
{
	(void)state;
	t.route.when = STR(".data.n | if . % 2 == 0 then error(\"even\") else true end");
	start();
	append(10);
	AWAIT(stats(0).done == 5 && stats(0).skipped == 5);
	stop();
	struct standing standing = standing_of("s0", 4);
	assert_int_equal(standing.state.state, JOURNAL_STATE_SKIPPED);
	assert_non_null(strstr(standing.why, "line 1"));
}

static void resume_is_tried_until_it_works(void **state)
{
	(void)state;
	scripts[0].failing_resumes = 3;
	start();
	append(2);
	AWAIT(stats(0).done == 2);
	AWAIT(stats(0).trouble_since_ms == 0);
	stop();
	assert_int_equal(scripts[0].resumes, 4);
}

static patchbay_status sink_idle(void *self, patchbay_call *call, patchbay_str *checkpoint)
{
	(void)call;
	struct script *script = self;
	pthread_mutex_lock(&script->lock);
	if (!script->idles++)
		*checkpoint = PATCHBAY_S("idle");
	pthread_mutex_unlock(&script->lock);
	return PATCHBAY_OK;
}

static void idle_is_called_and_its_checkpoint_kept(void **state)
{
	(void)state;
	idle_ability = (patchbay_idle){ .size = sizeof(idle_ability), .every_ms = 1, .idle = sink_idle };
	start();
	AWAIT(locked(0, &scripts[0].idles) >= 3);
	stop();
	start();
	AWAIT(locked(0, &scripts[0].resumes) == 2);
	stop();
	assert_string_equal(scripts[0].resumed_with, "idle");
	idle_ability.size = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_event_once_in_order_and_again_after_a_restart),
		TEST(some_to_be_retried_are_parked_and_hold_up_nobody),
		TEST(bad_events_are_dead_with_the_reason),
		TEST(a_destination_that_is_down_parks_no_events),
		TEST(again_waits_for_the_checkpoint),
		TEST(again_without_end_is_a_failure),
		TEST(a_poison_event_does_not_block_those_behind_it),
		TEST(what_never_works_is_given_up),
		TEST(one_dead_sink_does_not_delay_another),
		TEST(a_bad_sink_keeps_what_it_did_and_waits),
		TEST(failing_settles_are_repeated_not_the_act),
		TEST(stopped_with_an_unsettled_outcome_it_is_still_owed),
		TEST(only_what_is_routed_arrives_and_the_rest_is_passed),
		TEST(a_failing_when_is_a_skip_with_its_reason),
		TEST(resume_is_tried_until_it_works),
		TEST(idle_is_called_and_its_checkpoint_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
