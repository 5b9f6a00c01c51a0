/* A new configuration while events are delivered: what is the same goes on, what is not is replaced when its call has
 * ended, and no event is lost or delivered twice by that. */
#include "dispatcher_rig.h"

/* ---- A sink whose calls wait for a gate, and that notes when two instances are inside at once. */

static struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool shut[SINKS];
	unsigned inside[SINKS], most[SINKS], created[SINKS], destroyed[SINKS];
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static atomic_bool create_fails;

static size_t which(const struct script *script)
{
	return (size_t)(script - scripts);
}

static patchbay_status gated_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct script *script = ((const struct options *)options)->script;
	if (atomic_load(&create_fails)) {
		host->explain(call, PATCHBAY_S("the test says so"));
		return PATCHBAY_ECONFIG;
	}
	pthread_mutex_lock(&gate.lock);
	gate.created[which(script)]++;
	pthread_mutex_unlock(&gate.lock);
	*self = script;
	return PATCHBAY_OK;
}

static void gated_destroy(void *self)
{
	pthread_mutex_lock(&gate.lock);
	gate.destroyed[which(self)]++;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void gated_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		      patchbay_result *results, patchbay_str *checkpoint)
{
	size_t i = which(self);
	pthread_mutex_lock(&gate.lock);
	gate.inside[i]++;
	gate.most[i] = gate.inside[i] > gate.most[i] ? gate.inside[i] : gate.most[i];
	pthread_cond_broadcast(&gate.changed);
	while (gate.shut[i])
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	sink_act(self, call, events, n, results, checkpoint);
	pthread_mutex_lock(&gate.lock);
	gate.inside[i]--;
	pthread_mutex_unlock(&gate.lock);
}

static void shut(size_t sink, bool is)
{
	pthread_mutex_lock(&gate.lock);
	gate.shut[sink] = is;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static unsigned count(const unsigned *value)
{
	pthread_mutex_lock(&gate.lock);
	unsigned got = *value;
	pthread_mutex_unlock(&gate.lock);
	return got;
}

static const void *no_extension(const char *id)
{
	(void)id;
	return NULL;
}

static patchbay_sink gated_side;

static int setup_gate(void **state)
{
	int r = setup(state);
	gated_side = sink_side;
	gated_side.create = gated_create;
	gated_side.destroy = gated_destroy;
	gated_side.act = gated_act;
	plugin.sink = &gated_side;
	memset(gate.shut, 0, sizeof gate.shut);
	memset(gate.inside, 0, sizeof gate.inside);
	memset(gate.most, 0, sizeof gate.most);
	memset(gate.created, 0, sizeof gate.created);
	memset(gate.destroyed, 0, sizeof gate.destroyed);
	atomic_store(&create_fails, false);
	return r;
}

static int teardown_gate(void **state)
{
	for (size_t i = 0; i < SINKS; i++)
		shut(i, false);
	int r = teardown(state);
	for (size_t i = 0; i < SINKS; i++) /* strays may come back after it */
		AWAIT(count(&gate.destroyed[i]) == count(&gate.created[i]));
	return r;
}

#define GATED(name) cmocka_unit_test_setup_teardown(name, setup_gate, teardown_gate)

/* ---- Configurations. They stay until the test is over: a stray may use them. */

#define STATES 60
static struct state {
	struct config_sink sinks[SINKS];
	struct config_route route;
	struct config config;
	struct generation generation;
} states[STATES];

/* A copy of the first one, to be changed. */
static struct state *next_state(unsigned i)
{
	struct state *s = &states[i];
	memcpy(s->sinks, t.sinks, sizeof s->sinks);
	s->route = t.route;
	s->config = t.config;
	s->config.sinks = s->sinks;
	s->config.routes = &s->route;
	s->generation.config = &s->config;
	if (!atomic_load(&s->generation.refs))
		atomic_store(&s->generation.refs, 1);
	return s;
}

static struct reload_counts reload(struct state *s)
{
	struct config_faults found = { 0 };
	struct faults faults = { .path = "routes.yaml", .list = &found };
	struct reload_counts counts;
	struct err err = { "" };
	struct dispatcher_change *change = dispatcher_prepare(t.dispatcher, &s->generation, &faults);
	if (!change)
		fail_msg("%s", found.v[0].text);
	if (dispatcher_open(t.dispatcher, change, &err) != 0)
		fail_msg("%s", err.text);
	dispatcher_commit(t.dispatcher, change, &counts);
	return counts;
}

static void assert_counts(struct reload_counts got, unsigned kept, unsigned replaced, unsigned added, unsigned removed)
{
	assert_int_equal(got.kept, kept);
	assert_int_equal(got.replaced, replaced);
	assert_int_equal(got.added, added);
	assert_int_equal(got.removed, removed);
}

static void assert_each_once(size_t sink, unsigned from, unsigned to)
{
	pthread_mutex_lock(&scripts[sink].lock);
	for (unsigned i = from; i < to; i++)
		if (scripts[sink].times[i] != 1)
			fail_msg("event %u: %u times", i, scripts[sink].times[i]);
	pthread_mutex_unlock(&scripts[sink].lock);
}

/* ---- Tests */

static void what_is_the_same_goes_on_by_the_new_routes(void **state)
{
	static const patchbay_str other[] = { { "other", 5 } };
	(void)state;
	start();
	append(10);
	AWAIT(stats(0).done == 10);
	struct state *s = next_state(0);
	s->route.types = (patchbay_strs){ other, 1 };
	assert_counts(reload(s), 1, 0, 0, 0);
	append(20); /* every seventh is of that type: 13, 20, 27 */
	AWAIT(stats(0).done == 13 && stats(0).at_end);
	assert_counts(reload(next_state(1)), 1, 0, 0, 0);
	append(5);
	AWAIT(stats(0).done == 18);
	assert_int_equal(count(&gate.created[0]), 1);
	assert_int_equal(locked(0, &scripts[0].resumes), 1);
	assert_int_equal(locked(0, &scripts[0].times[12]), 0);
	assert_each_once(0, 30, 35);
}

static void a_changed_sink_waits_for_the_call_of_the_old_one(void **state)
{
	(void)state;
	t.config.n_sinks = 2;
	scripts[0].checkpoint = "old";
	t.sinks[0].timeout_ms = 100; /* which a sink with a checkpoint is waited for beyond */
	start();
	shut(0, true);
	append(3);
	AWAIT(count(&gate.inside[0]) == 1 && stats(1).done == 3);
	struct state *s = next_state(0);
	s->sinks[0].batch_events = 7;
	int64_t began_ns = clock_steady_ns();
	assert_counts(reload(s), 1, 1, 0, 0);
	assert_true(clock_steady_ns() - began_ns < 5 * NS_PER_S);
	append(4);
	AWAIT(stats(1).done == 7); /* the other one does not notice */
	AWAIT(stats(0).trouble_since_ms && strstr(stats(0).reason, "does not return"));
	struct state *again = next_state(1);
	again->sinks[0].batch_events = 8;
	assert_counts(reload(again), 1, 1, 0, 0); /* the one that waits is replaced as well */
	assert_int_equal(count(&gate.created[0]), 3);
	assert_true(dispatcher_tidy(t.dispatcher));
	assert_int_equal(locked(0, &scripts[0].resumes), 1);
	shut(0, false);
	AWAIT(stats(0).done >= 4);
	AWAIT(!dispatcher_tidy(t.dispatcher));
	assert_each_once(0, 0, 7);
	assert_int_equal(count(&gate.most[0]), 1);
	assert_int_equal(locked(0, &scripts[0].resumes), 2);
	assert_string_equal(scripts[0].resumed_with, "old");
	assert_int_equal(count(&gate.destroyed[0]), 2);
	assert_int_equal(stats(0).trouble_since_ms, 0);
}

static void a_call_that_never_returns_is_left_behind(void **state)
{
	(void)state;
	gated_side.extension = no_extension;
	t.sinks[0].timeout_ms = 100;
	start();
	shut(0, true);
	append(1);
	AWAIT(count(&gate.inside[0]) == 1);
	struct state *s = next_state(0);
	s->sinks[0].timeout_ms = 30000;
	assert_counts(reload(s), 0, 1, 0, 0);
	AWAIT(count(&gate.inside[0]) == 2); /* the successor has it in hand */
	assert_int_equal(stats(0).strays, 1);
	dispatcher_tidy(t.dispatcher);
	assert_int_equal(stats(0).strays, 1);
	shut(0, false);
	AWAIT(stats(0).done == 1);
	AWAIT((dispatcher_tidy(t.dispatcher), stats(0).strays == 0));
}

static void sinks_come_and_go_and_come_back(void **state)
{
	(void)state;
	start();
	append(5);
	AWAIT(stats(0).done == 5);
	t.config.n_sinks = 2;
	assert_counts(reload(next_state(0)), 1, 0, 1, 0);
	append(5);
	AWAIT(stats(0).done == 10 && stats(1).done == 5); /* the new one begins with the next event */
	assert_each_once(1, 5, 10);
	assert_int_equal(locked(1, &scripts[1].times[4]), 0);
	t.config.n_sinks = 1;
	assert_counts(reload(next_state(1)), 1, 0, 0, 1);
	AWAIT(!dispatcher_tidy(t.dispatcher));
	assert_int_equal(count(&gate.destroyed[1]), 1);
	append(5);
	AWAIT(stats(0).done == 15);
	t.config.n_sinks = 2;
	assert_counts(reload(next_state(2)), 1, 0, 1, 0);
	AWAIT(stats(1).done == 5); /* it goes on where it stopped */
	assert_each_once(1, 5, 15);
}

static void a_change_that_fails_leaves_all_as_it_was(void **state)
{
	struct config_faults found = { 0 };
	struct faults faults = { .path = "routes.yaml", .list = &found };
	struct err err = { "" };
	(void)state;
	start();
	append(5);
	AWAIT(stats(0).done == 5);
	struct state *s = next_state(0);
	s->config.n_sinks = 3;
	s->sinks[0].batch_events = 1;
	s->sinks[2].line = 12;
	s->sinks[2].column = 3;
	atomic_store(&create_fails, true);
	assert_null(dispatcher_prepare(t.dispatcher, &s->generation, &faults));
	assert_int_equal(found.n, 3);
	assert_string_equal(found.v[2].text,
			    "routes.yaml:12:3: sink 's2' (plugin scripted) cannot start: the test says so");
	config_faults_free(&found);
	atomic_store(&create_fails, false);
	struct dispatcher_change *change = dispatcher_prepare(t.dispatcher, &s->generation, &faults);
	assert_non_null(change);
	assert_int_equal(dispatcher_open(t.dispatcher, change, &err), 0);
	dispatcher_abandon(t.dispatcher, change);
	append(5);
	AWAIT(stats(0).done == 10);
	assert_int_equal(locked(0, &scripts[0].resumes), 1);
	assert_int_equal(locked(2, &scripts[2].acts), 0);
	assert_int_equal(count(&gate.created[0]), 2);
	assert_int_equal(count(&gate.destroyed[0]), 1);
	assert_int_equal(atomic_load(&s->generation.refs), 1);
}

static void many_changes_lose_and_repeat_nothing(void **state)
{
	(void)state;
	t.config.n_sinks = 2;
	start();
	for (unsigned i = 0; i < STATES; i++) {
		struct state *s = next_state(i);
		s->sinks[0].batch_events = 1 + i % 3;
		append(20);
		reload(s);
		dispatcher_tidy(t.dispatcher);
	}
	AWAIT(stats(1).done == STATES * 20);
	AWAIT(stats(0).at_end && journal_pos_cmp(stats(0).cursor, journal_end(t.journal)) == 0);
	assert_each_once(0, 0, STATES * 20);
	assert_each_once(1, 0, STATES * 20);
	assert_int_equal(count(&gate.most[0]), 1);
	assert_int_equal(count(&gate.created[1]), 1);
}

static void a_stop_waits_no_longer_than_ever(void **state)
{
	(void)state;
	start();
	append(2);
	AWAIT(stats(0).done == 2);
	shut(0, true);
	append(1);
	AWAIT(count(&gate.inside[0]) == 1);
	struct state *s = next_state(0);
	s->sinks[0].batch_events = 2;
	reload(s);
	int64_t began_ns = clock_steady_ns();
	assert_int_equal(dispatcher_stop(t.dispatcher), 1); /* the old call; the successor has not begun */
	t.dispatcher = NULL;
	assert_in_range(clock_steady_ns() - began_ns, 9 * NS_PER_S, 30 * NS_PER_S);
	assert_int_equal(locked(0, &scripts[0].resumes), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GATED(what_is_the_same_goes_on_by_the_new_routes),
		GATED(a_changed_sink_waits_for_the_call_of_the_old_one),
		GATED(a_call_that_never_returns_is_left_behind),
		GATED(sinks_come_and_go_and_come_back),
		GATED(a_change_that_fails_leaves_all_as_it_was),
		GATED(many_changes_lose_and_repeat_nothing),
		GATED(a_stop_waits_no_longer_than_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
