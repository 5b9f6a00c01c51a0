/* Whatever a sink answers, in whatever configuration, and however often the daemon is stopped in between: every event
 * ends once, done or dead, nothing is done twice, and the order of a subject is kept. What the sink answers depends on
 * the seed, the event and the attempt only; PATCHBAY_STORMS=from-to tries other seeds. */
#include "dispatcher_rig.h"

#define LOTS 3
#define LOT 80
#define SUBJECTS 9
#define HANG_MS 400

static struct {
	pthread_mutex_t lock;
	uint64_t seed;
	unsigned instances, times[EVENTS_MAX], done[EVENTS_MAX];
	bool replayed[EVENTS_MAX];
	unsigned latest[SUBJECTS], overtaken; /* the last event of each subject that was acted on */
} storm = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t dice(uint64_t a, uint64_t b)
{
	uint64_t x = storm.seed * UINT64_C(0x9E3779B97F4A7C15) + a * UINT64_C(0xBF58476D1CE4E5B9) + b;
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static patchbay_status fate(unsigned n, unsigned times, bool *hangs)
{
	unsigned roll = (unsigned)(dice(n, times) % 1000);
	*hangs |= roll < 3;
	if (times > 6)
		return PATCHBAY_OK;
	return roll < 550   ? PATCHBAY_OK
	       : roll < 700 ? PATCHBAY_RETRY
	       : roll < 760 ? PATCHBAY_DOWN
	       : roll < 780 ? PATCHBAY_EBADSINK
	       : roll < 820 ? PATCHBAY_EBADEVENT
	       : roll < 840 ? PATCHBAY_ECONFIG
	       : roll < 850 ? PATCHBAY_AGAIN
	       : roll < 855 ? -77
			    : PATCHBAY_UNTOUCHED;
}

static patchbay_status storm_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	(void)host, (void)call, (void)options;
	*self = &storm;
	pthread_mutex_lock(&storm.lock);
	storm.instances++;
	pthread_mutex_unlock(&storm.lock);
	return PATCHBAY_OK;
}

static void storm_destroy(void *self)
{
	(void)self;
	pthread_mutex_lock(&storm.lock);
	storm.instances--;
	pthread_mutex_unlock(&storm.lock);
}

static void storm_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		      patchbay_result *results, patchbay_str *checkpoint)
{
	(void)self, (void)call, (void)checkpoint;
	bool hangs = false;
	pthread_mutex_lock(&storm.lock);
	for (size_t i = 0; i < n; i++) {
		unsigned number = 0;
		if (sscanf(events[i]->data.p, "{\"n\":%u}", &number) != 1 || number >= EVENTS_MAX)
			abort();
		unsigned subject = number % SUBJECTS;
		if (!storm.replayed[number] && number < storm.latest[subject])
			storm.overtaken++;
		else if (!storm.replayed[number])
			storm.latest[subject] = number;
		results[i] = (patchbay_result){ fate(number, ++storm.times[number], &hangs), 0, PATCHBAY_S("a storm") };
	}
	for (size_t i = 0; i < n; i++) {
		unsigned number = 0;
		if (hangs)
			results[i].status = PATCHBAY_UNTOUCHED;
		else if (results[i].status == PATCHBAY_OK && sscanf(events[i]->data.p, "{\"n\":%u}", &number) == 1)
			storm.done[number]++;
	}
	long ms = hangs ? HANG_MS : (long)(dice(n, storm.times[0]) % 4);
	pthread_mutex_unlock(&storm.lock);
	nanosleep(&(struct timespec){ .tv_nsec = ms * NS_PER_MS }, NULL);
}

static const patchbay_sink storm_side = {
	.size = sizeof(storm_side),
	.options_size = sizeof(struct options),
	.create = storm_create,
	.destroy = storm_destroy,
	.act = storm_act,
};

static unsigned storm_count(const unsigned *value)
{
	pthread_mutex_lock(&storm.lock);
	unsigned got = *value;
	pthread_mutex_unlock(&storm.lock);
	return got;
}

static uint64_t parked(void)
{
	struct journal_sink_counts counts;
	struct err err = { 0 };
	assert_int_equal(journal_sink_counts(t.journal, "s0", &counts, &err), 0);
	return counts.parked;
}

static void choose_configuration(int64_t delays[2])
{
	struct config_sink *sink = &t.sinks[0];
	sink->concurrency = (int64_t)(dice(1, 1000) % 6) + 1;
	sink->batch_events = dice(2, 1000) % 3 ? (int64_t)(dice(3, 1000) % 20) + 1 : 1;
	sink->batch_linger_ms = dice(4, 1000) % 3 ? 0 : 3;
	sink->order_subject = dice(5, 1000) % 2;
	sink->timeout_ms = 100;
	if (dice(6, 1000) % 3 == 0)
		sink->rate_count = 1000, sink->rate_ms = 1000;
	delays[0] = 1, delays[1] = 5;
	if (dice(7, 1000) % 3 == 0)
		sink->retry = (struct config_retry){ .delays_ms = delays, .n_delays = 2 };
}

/* Of what is dead by now, some. */
static void replay_some(void)
{
	struct journal_reader *reader = journal_reader_open(t.journal);
	for (unsigned n = 0; n < t.appended; n++) {
		struct journal_record record;
		struct journal_replay replay = { .id = t.ids[n], .due_ms = clock_wall_ns() / NS_PER_MS };
		struct err err = { 0 };
		if (dice(n, 2000) % 3 || standing_of("s0", n).state.state != JOURNAL_STATE_DEAD)
			continue;
		storm.replayed[n] = true;
		assert_int_equal(journal_find(reader, &t.ids[n], &record, &replay.at, &err), 1);
		assert_int_equal(journal_replay(t.journal, "s0", &replay, 1, replay.due_ms, STR("by the test"), &err),
				 0);
	}
	journal_reader_close(reader);
}

static void assert_all_ended(void)
{
	for (unsigned n = 0; n < t.appended; n++) {
		enum journal_state state = standing_of("s0", n).state.state;
		if (state != JOURNAL_STATE_DONE && state != JOURNAL_STATE_DEAD)
			fail_msg("seed %u: event %u is in state %d", (unsigned)storm.seed, n, state);
		if (storm.done[n] != (state == JOURNAL_STATE_DONE))
			fail_msg("seed %u: event %u is in state %d, and was done %u times", (unsigned)storm.seed, n,
				 state, storm.done[n]);
	}
	if (t.sinks[0].order_subject && storm.overtaken)
		fail_msg("seed %u: %u events were overtaken", (unsigned)storm.seed, storm.overtaken);
}

static void one_storm(uint64_t seed)
{
	int64_t delays[2];
	storm.seed = seed;
	storm.overtaken = 0;
	memset(storm.times, 0, sizeof(storm.times));
	memset(storm.done, 0, sizeof(storm.done));
	memset(storm.replayed, 0, sizeof(storm.replayed));
	memset(storm.latest, 0, sizeof(storm.latest));
	assert_int_equal(setup(NULL), 0);
	plugin.sink = &storm_side;
	t.subjects = SUBJECTS;
	choose_configuration(delays);
	for (unsigned lot = 0; lot < LOTS; lot++) {
		start();
		append(LOT);
		if (dice(lot, 3000) % 2)
			AWAIT(stats(0).at_end);
		stop();
		replay_some();
		if (dice(lot, 4000) % 2) {
			journal_close(t.journal);
			open_journal();
		}
	}
	start();
	AWAIT(journal_pos_cmp(stats(0).cursor, journal_end(t.journal)) == 0 && parked() == 0);
	assert_all_ended();
	stop();
	AWAIT(storm_count(&storm.instances) == 0); /* those left behind, too */
	assert_int_equal(teardown(NULL), 0);
}

static void every_event_ends_once_whatever_happens(void **state)
{
	(void)state;
	unsigned from = 1, to = 5;
	const char *seeds = getenv("PATCHBAY_STORMS");
	if (seeds && sscanf(seeds, "%u-%u", &from, &to) != 2)
		fail_msg("PATCHBAY_STORMS is written 1-100");
	for (unsigned seed = from; seed <= to; seed++)
		one_storm(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_event_ends_once_whatever_happens) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
