/* dispatcher_rig.h - the dispatcher with the real journal and a scripted sink, for the tests of core/deliver. Linked
 * with --wrap=journal_settle, to watch it and to make it fail. */
#ifndef DISPATCHER_RIG_H
#define DISPATCHER_RIG_H

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/dispatcher.h"

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>
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
#define SINKS 3

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
};
struct options {
	struct script *script;
};

static struct script scripts[SINKS];

static inline patchbay_status sink_create(const patchbay_host *host, patchbay_call *call, const void *options,
					  void **self)
{
	(void)host, (void)call;
	*self = ((const struct options *)options)->script;
	return PATCHBAY_OK;
}

static inline void sink_destroy(void *self)
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

static const patchbay_checkpoint checkpoint_ability = { .size = sizeof(checkpoint_ability), .resume = sink_resume };
static patchbay_idle idle_ability; /* none, unless a test makes it one */

static const void *sink_extension(const char *id)
{
	if (strcmp(id, PATCHBAY_CHECKPOINT) == 0)
		return &checkpoint_ability;
	return strcmp(id, PATCHBAY_IDLE) == 0 && idle_ability.size ? &idle_ability : NULL;
}

static const patchbay_sink sink_side = {
	.size = sizeof(sink_side),
	.options_size = sizeof(struct options),
	.create = sink_create,
	.destroy = sink_destroy,
	.act = sink_act,
	.extension = sink_extension,
};
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
	unsigned subjects; /* how many different ones the events have; 0: none */
	pthread_mutex_t lock;
	pthread_cond_t decided;
	unsigned n_decided;
} t;
static struct generation generation = { .config = &t.config, .text = -1, .refs = 1 }; /* a stray may outlive its test */

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
		char data[32], key[16], subject[16];
		snprintf(data, sizeof(data), "{\"n\":%u}", n);
		snprintf(key, sizeof(key), "k%u", n);
		snprintf(subject, sizeof(subject), "s%u", t.subjects ? n % t.subjects : 0);
		t.ids[n] = id_new(clock_wall_ns());
		struct journal_record record = { .id = t.ids[n],
						 .kind = JOURNAL_EVENT,
						 .received_ns = clock_wall_ns(),
						 .source = STR("fleet"),
						 .plugin = STR("any"),
						 .type = n % 7 == 6 ? STR("other") : STR("thing"),
						 .subject = t.subjects ? str_c(subject) : STR(""),
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
	t.dispatcher = dispatcher_start(t.journal, &generation, &err);
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
	size_t n;
	struct dispatcher_stats *all = dispatcher_stats(t.dispatcher, &n), one = all[sink];
	assert_int_equal(n, t.config.n_sinks);
	free(all);
	return one;
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

static inline unsigned locked(size_t sink, const unsigned *value)
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

static inline void note_standing(void *ctx, const struct journal_delivery_state *state)
{
	struct standing *standing = ctx;
	if (strcmp(state->sink, standing->sink) != 0)
		return;
	standing->state = *state;
	snprintf(standing->class_, sizeof(standing->class_), "%s", state->class_ ? state->class_ : "");
	snprintf(standing->why, sizeof(standing->why), "%s", state->why ? state->why : "");
}

static inline struct standing standing_of(const char *sink, unsigned n)
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
	static char names[SINKS][4] = { "s0", "s1", "s2" };
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
