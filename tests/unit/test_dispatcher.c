/* The dispatcher with the real journal and a scripted sink: what a plugin answers decides what becomes of each
 * event, and nothing is lost or repeated. Linked with --wrap=journal_settle, to watch it and to make it fail. */
#include "base/clock.h"
#include "base/mem.h"
#include "deliver/dispatcher.h"

#include <patchbay/sugar.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define EVENTS_MAX 4096
#define SINKS 2

/* ---- The sink: answers what its script says, and remembers what it was asked. */

struct script {
	/* Decides about event number n, asked for the `times`-th time, in the act number `act` (both from 1). */
	patchbay_status (*decide)(struct script *, unsigned n, unsigned times, unsigned act);
	pthread_mutex_t lock;
	unsigned acts, largest, events, times[EVENTS_MAX];
	unsigned order[EVENTS_MAX], n_order; /* event numbers as they were first acted on */
	uint32_t last_attempt[EVENTS_MAX];
	unsigned resumes, failing_resumes, idles;
	char resumed_with[64];
	const char *checkpoint; /* handed back with every act */
	unsigned acts_at_settle;
};
struct options {
	struct script *script;
};

static struct script scripts[SINKS];

static patchbay_status sink_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	(void)host, (void)call;
	*self = ((const struct options *)options)->script;
	return PATCHBAY_OK;
}

static void sink_destroy(void *self)
{
	(void)self;
}

static patchbay_status sink_resume(void *self, patchbay_call *call, patchbay_str checkpoint)
{
	(void)call;
	struct script *script = self;
	pthread_mutex_lock(&script->lock);
	script->resumes++;
	snprintf(script->resumed_with, sizeof(script->resumed_with), "%.*s", STR_ARG(checkpoint));
	bool fails = script->resumes <= script->failing_resumes;
	pthread_mutex_unlock(&script->lock);
	return fails ? PATCHBAY_ELIMIT : PATCHBAY_OK;
}

static void sink_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		     patchbay_result *results, patchbay_str *checkpoint)
{
	(void)call;
	struct script *script = self;
	pthread_mutex_lock(&script->lock);
	script->acts++;
	script->largest = n > script->largest ? (unsigned)n : script->largest;
	for (size_t i = 0; i < n; i++) {
		unsigned number = 0;
		if (sscanf(events[i]->data.p, "{\"n\":%u}", &number) != 1 || number >= EVENTS_MAX)
			abort();
		if (!script->times[number]++)
			script->order[script->n_order++] = number;
		script->last_attempt[number] = events[i]->attempt;
		results[i].status = script->decide(script, number, script->times[number], script->acts);
		if (results[i].status != PATCHBAY_OK)
			results[i].why = PATCHBAY_S("the script says so");
	}
	if (script->checkpoint)
		*checkpoint = patchbay_cstr(script->checkpoint);
	pthread_mutex_unlock(&script->lock);
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

static const patchbay_sink sink_side = {
	.size = sizeof(sink_side),
	.options_size = sizeof(struct options),
	.create = sink_create,
	.destroy = sink_destroy,
	.resume = sink_resume,
	.act = sink_act,
};
static patchbay_sink idling_side;
static patchbay_plugin plugin = {
	.size = sizeof(plugin),
	.name = "scripted",
	.version = "1",
	.license = "Apache-2.0",
	.summary = "for this test",
	.sink = &sink_side,
};

/* ---- The journal's side: settle is watched, and fails on request. */

static atomic_int settle_failures; /* how many of the next ones fail, of those with outcomes */
static atomic_uint settles_failed;
static unsigned acts_before_settle[64], n_settles; /* of sink 0, with its lock */
static char settled_checkpoints[64][32];

int __real_journal_settle(struct journal *, const char *, const struct journal_pos *, const struct journal_settled *,
			  size_t, const patchbay_str *, struct err *);
int __wrap_journal_settle(struct journal *journal, const char *sink, const struct journal_pos *cursor,
			  const struct journal_settled *settled, size_t n, const patchbay_str *checkpoint,
			  struct err *err);

int __wrap_journal_settle(struct journal *journal, const char *sink, const struct journal_pos *cursor,
			  const struct journal_settled *settled, size_t n, const patchbay_str *checkpoint,
			  struct err *err)
{
	if ((n || checkpoint) && atomic_load(&settle_failures) > 0) {
		atomic_fetch_sub(&settle_failures, 1);
		atomic_fetch_add(&settles_failed, 1);
		return err_set(err, "no space left, says the test");
	}
	if (strcmp(sink, "s0") == 0 && (n || checkpoint)) {
		pthread_mutex_lock(&scripts[0].lock);
		if (n_settles < 64) {
			acts_before_settle[n_settles] = scripts[0].acts;
			snprintf(settled_checkpoints[n_settles++], 32, "%.*s", checkpoint ? (int)checkpoint->n : 0,
				 checkpoint ? checkpoint->p : "");
		}
		pthread_mutex_unlock(&scripts[0].lock);
	}
	return __real_journal_settle(journal, sink, cursor, settled, n, checkpoint, err);
}

/* ---- Everything around it. */

static struct {
	char path[64];
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct options options[SINKS];
	struct config_sink sinks[SINKS];
	size_t route_to[SINKS];
	struct config_source source;
	struct config_route route;
	struct config config;
	struct id ids[EVENTS_MAX];
	unsigned appended;
	pthread_mutex_t lock;
	pthread_cond_t decided;
	unsigned n_decided;
} t;

static void decided(void *ctx, struct journal_ticket *list)
{
	(void)ctx;
	pthread_mutex_lock(&t.lock);
	while (list) {
		struct journal_ticket *next = list->next;
		if (list->outcome == JOURNAL_FRESH)
			t.n_decided++;
		buf_free(&list->records);
		free(list);
		list = next;
	}
	pthread_cond_broadcast(&t.decided);
	pthread_mutex_unlock(&t.lock);
}

static void append(unsigned how_many)
{
	for (unsigned i = 0; i < how_many; i++) {
		unsigned n = t.appended++;
		char data[32], key[16];
		snprintf(data, sizeof(data), "{\"n\":%u}", n);
		snprintf(key, sizeof(key), "k%u", n);
		t.ids[n] = id_new(clock_wall_ns());
		struct journal_record record = { .id = t.ids[n],
						 .kind = JOURNAL_EVENT,
						 .received_ns = clock_wall_ns(),
						 .source = STR("fleet"),
						 .plugin = STR("any"),
						 .type = n % 7 == 6 ? STR("other") : STR("thing"),
						 .key = str_c(key),
						 .data = str_c(data) };
		struct journal_ticket *ticket = xcalloc(1, sizeof(*ticket));
		journal_encode(&ticket->records, &record);
		ticket->n = 1;
		while (!journal_append(t.journal, ticket))
			sched_yield();
	}
	pthread_mutex_lock(&t.lock);
	while (t.n_decided < t.appended)
		pthread_cond_wait(&t.decided, &t.lock);
	pthread_mutex_unlock(&t.lock);
}

static void open_journal(void)
{
	struct err err = { 0 };
	struct journal_options options = { .path = t.path,
					   .retention_age_ms = INT64_C(86400000) * 30,
					   .retention_bytes = INT64_C(1) << 30,
					   .quarantine_bytes = 1 << 20,
					   .dedupe_window_ms = 86400000,
					   .decided = decided };
	t.journal = journal_open(&options, &err);
	if (!t.journal)
		fail_msg("%s", err.text);
}

static void start(void)
{
	struct err err = { 0 };
	t.dispatcher = dispatcher_start(t.journal, &t.config, &err);
	if (!t.dispatcher)
		fail_msg("%s", err.text);
}

static void stop(void)
{
	dispatcher_stop(t.dispatcher);
	t.dispatcher = NULL;
}

static struct dispatcher_stats stats(size_t sink)
{
	struct dispatcher_stats all[SINKS];
	assert_int_equal(dispatcher_stats(t.dispatcher, all, SINKS), t.config.n_sinks);
	return all[sink];
}

/* Waits until the condition holds, for half a minute at most: far longer than it ever takes. */
#define AWAIT(condition)                                                                                               \
	do {                                                                                                           \
		int64_t until = clock_steady_ns() + 30 * NS_PER_S;                                                     \
		while (!(condition)) {                                                                                 \
			if (clock_steady_ns() > until)                                                                 \
				fail_msg("waited in vain for: %s", #condition);                                        \
			nanosleep(&(struct timespec){ .tv_nsec = NS_PER_MS }, NULL);                                   \
		}                                                                                                      \
	} while (0)

static unsigned locked(size_t sink, const unsigned *value)
{
	pthread_mutex_lock(&scripts[sink].lock);
	unsigned got = *value;
	pthread_mutex_unlock(&scripts[sink].lock);
	return got;
}

static patchbay_status always_ok(struct script *script, unsigned n, unsigned times, unsigned act)
{
	(void)script, (void)n, (void)times, (void)act;
	return PATCHBAY_OK;
}

/* How the journal says that event number n stands with that sink. */
struct standing {
	const char *sink;
	struct journal_delivery_state state;
	char class_[32], why[64];
};

static void note_standing(void *ctx, const struct journal_delivery_state *state)
{
	struct standing *standing = ctx;
	if (strcmp(state->sink, standing->sink) != 0)
		return;
	standing->state = *state;
	snprintf(standing->class_, sizeof(standing->class_), "%s", state->class_ ? state->class_ : "");
	snprintf(standing->why, sizeof(standing->why), "%s", state->why ? state->why : "");
}

static struct standing standing_of(const char *sink, unsigned n)
{
	struct standing standing = { .sink = sink };
	struct journal_reader *reader = journal_reader_open(t.journal);
	struct journal_record record;
	struct journal_pos at;
	struct err err = { 0 };
	assert_int_equal(journal_find(reader, &t.ids[n], &record, &at, &err), 1);
	assert_int_equal(journal_deliveries(t.journal, at, &t.ids[n], note_standing, &standing, &err), 0);
	journal_reader_close(reader);
	return standing;
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	pthread_mutex_init(&t.lock, NULL);
	pthread_cond_init(&t.decided, NULL);
	snprintf(t.path, sizeof(t.path), "/tmp/patchbay-test-XXXXXX");
	assert_non_null(mkdtemp(t.path));
	static char names[SINKS][4] = { "s0", "s1" };
	for (size_t i = 0; i < SINKS; i++) {
		memset(&scripts[i], 0, sizeof(scripts[i]));
		pthread_mutex_init(&scripts[i].lock, NULL);
		scripts[i].decide = always_ok;
		t.options[i].script = &scripts[i];
		t.sinks[i] = (struct config_sink){
			.name = names[i],
			.plugin = &plugin,
			.options = &t.options[i],
			.retry = { .initial_ms = 2, .factor = 2, .max_ms = 10, .give_up_ms = 3600000 },
			.timeout_ms = 5000,
			.batch_events = 100,
		};
		t.route_to[i] = i;
	}
	t.source.name = xstrdup("fleet");
	t.route = (struct config_route){ .sinks = t.route_to, .n_sinks = SINKS, .line = 1 };
	t.config = (struct config){
		.sources = &t.source, .n_sources = 1, .sinks = t.sinks, .n_sinks = 1, .routes = &t.route, .n_routes = 1
	};
	plugin.sink = &sink_side;
	atomic_store(&settle_failures, 0);
	atomic_store(&settles_failed, 0);
	n_settles = 0;
	open_journal();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stop();
	journal_close(t.journal);
	free(t.source.name);
	char *command = xasprintf("rm -rf '%s'", t.path);
	int r = system(command);
	free(command);
	return r;
}

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
	return act <= 4 ? PATCHBAY_RETRY : PATCHBAY_OK;
}

static void a_dead_destination_leaves_no_trace_per_event(void **state)
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
	assert_int_equal(scripts[0].times[0], 5); /* the batch, three probes that fail, one that works */
	for (unsigned i = 1; i < 50; i++)
		assert_int_equal(scripts[0].times[i], 2);
	assert_int_equal(scripts[0].last_attempt[0], 5);
	assert_int_equal(n_settles, 2); /* the probe, and the rest in one batch */
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
	return PATCHBAY_RETRY;
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
	assert_true(stats(0).at_end);
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
	assert_int_equal(stats(0).trouble_since_ms, 0);
	stop();
	assert_int_equal(scripts[0].resumes, 4);
}

static void idle_is_called_and_its_checkpoint_kept(void **state)
{
	(void)state;
	idling_side = sink_side;
	idling_side.idle = sink_idle;
	idling_side.idle_ms = 1;
	plugin.sink = &idling_side;
	start();
	AWAIT(locked(0, &scripts[0].idles) >= 3);
	stop();
	start();
	AWAIT(locked(0, &scripts[0].resumes) == 2);
	stop();
	assert_string_equal(scripts[0].resumed_with, "idle");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_event_once_in_order_and_again_after_a_restart),
		TEST(some_to_be_retried_are_parked_and_hold_up_nobody),
		TEST(bad_events_are_dead_with_the_reason),
		TEST(a_dead_destination_leaves_no_trace_per_event),
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
