/* test_life.c - from create() to destroy(): what an instance needs, leaves behind, and shares with others. */
#include "conform/tests.h"

#include "base/clock.h"
#include "conform/bench.h"
#include "conform/deed.h"
#include "conform/elf.h"
#include "conform/guest.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define CYCLES (KIT_SANITIZED ? 200 : 1000)
#define CALLS (KIT_SANITIZED ? 300 : 2000)
#define ACTS (KIT_SANITIZED ? 60 : 300)
#define WARM_UP 50
#define LEAK_EACH 8                /* bytes of one instance or call that are a leak */
#define LEAK_MIN ((size_t)2 << 10) /* of all of them */
#define RESIDENT_MIN ((size_t)4 << 20)
#define CREATE_MS 500

void test_life_destroy_null(struct kit *kit)
{
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		if (!kit->shared->has[side])
			continue;
		kit_what(kit, "NULL, for its %s", kit_side_name(side));
		kit_enter(kit, "destroy()");
		side == SIDE_SOURCE ? kit->plugin->source->destroy(NULL) : kit->plugin->sink->destroy(NULL);
		kit_leave(kit, "destroy()");
	}
}

/* ---- Leaks */

static void judge_growth(struct kit *kit, const struct process_size *before, const struct process_size *after,
			 size_t times, const char *what)
{
	struct buf list = { 0 };
	siginfo_t child = { 0 };

	if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0)
		kit_fail(kit, "after %s there are processes that it started, and nobody waits for; waitpid() for each",
			 what);
	if (after->threads > before->threads)
		kit_fail(kit, "after %s %zu more threads run; a thread must end before destroy() returns", what,
			 after->threads - before->threads);
	if (after->descriptors > before->descriptors) {
		process_list_descriptors(&list, 3);
		kit_fail(kit, "after %s %zu more descriptors are open (%.200s); close them in destroy() at the latest",
			 what, after->descriptors - before->descriptors, buf_cstr(&list));
	}
	if (after->heap > before->heap + LEAK_MIN && (after->heap - before->heap) / times >= LEAK_EACH)
		kit_fail(kit,
			 "after %s %zu more bytes of memory are in use, %zu each time; free them in destroy() at the "
			 "latest",
			 what, after->heap - before->heap, (after->heap - before->heap) / times);
	if (!KIT_SANITIZED && after->resident > before->resident + RESIDENT_MIN)
		kit_fail(kit, "after %s the process is %zu KB larger; free or unmap what is not needed any more", what,
			 (after->resident - before->resident) / 1024);
	kit_info(kit, "%zu times", times);
}

/* What check() needs, and what create() had when it found that it could not go on, must be given back, too. */
static void check_and_fail(struct kit *kit, enum side side)
{
	const struct config_secrets *secrets;
	const void *options = kit_options(kit, side, 0, &secrets);
	struct arena memory = kit->memory;
	struct guest guest;
	patchbay_str said;

	kit->memory = (struct arena){ 0 };
	(void)guest_check(kit, side, options, &said);
	arena_fini(&kit->memory);
	kit->memory = memory;
	kit->no_services = true;
	(void)guest_create(&guest, kit, side, options, secrets);
	kit->no_services = false;
	guest_close(&guest);
}

void test_life_cycles(struct kit *kit)
{
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		struct process_size before = { 0 }, after;
		if (!kit->shared->ready[side])
			continue;
		int i = 0;
		for (; i < WARM_UP + CYCLES && !(i > 2 * WARM_UP && kit_hurries(kit)); i++) {
			struct guest guest;
			if (i == WARM_UP)
				process_measure(&before);
			kit_what(kit, "its %s, number %d", kit_side_name(side), i + 1);
			guest_open(&guest, kit, side, 0);
			guest_close(&guest);
			check_and_fail(kit, side);
		}
		process_measure(&after);
		if (http_fake_open() > 0)
			kit_fail(kit, "%d HTTP clients were opened and never closed; call http->close() in destroy()",
				 http_fake_open());
		judge_growth(kit, &before, &after, (size_t)i - WARM_UP,
			     side == SIDE_SOURCE ? "many sources were created and destroyed"
						 : "many sinks were created and destroyed");
	}
}

static void call_source(struct kit *kit, struct bench *bench, int i)
{
	struct taken taken;
	patchbay_request r = bench_plain(bench, STR("{\"id\":1,\"type\":\"x\"}"));

	if (bench->can_play && i % 4)
		(void)bench_sample(bench, &bench->a, (uint32_t)i % bench->play.n_samples, kit_random(kit),
				   i % 8 == 3 ? PATCHBAY_SIGN_WRONG : 0, &r, NULL);
	if (i % 8 == 5 && r.body.n > 4)
		r = bench_with_body(bench, &r, (patchbay_str){ r.body.p, r.body.n - 3 });
	taken_init(&taken, &r);
	taken.refuse_from = i % 8 == 7;
	kit_what(kit, "call %d", i);
	if (bench_verify(&bench->a, &r) == PATCHBAY_OK)
		(void)bench_parse(&bench->a, &r, &taken);
	taken_fini(&taken);
}

static void call_sources(struct kit *kit)
{
	struct process_size before = { 0 }, after;
	struct bench bench;

	bench_open(&bench, kit, true);
	int i = 0;
	for (; i < WARM_UP + CALLS && !(i > 2 * WARM_UP && kit_hurries(kit)); i++) {
		struct arena memory = kit->memory;
		if (i == WARM_UP)
			process_measure(&before);
		kit->memory = (struct arena){ 0 };
		call_source(kit, &bench, i);
		arena_fini(&kit->memory);
		kit->memory = memory;
	}
	call_begin(&bench.a.call, 0);
	process_measure(&after);
	judge_growth(kit, &before, &after, (size_t)i - WARM_UP, "many requests");
	bench_close(&bench);
}

static void call_sinks(struct kit *kit)
{
	struct process_size before = { 0 }, after;
	struct deed deed;

	process_isolate_network();
	deed_open(&deed, kit);
	int i = 0;
	for (; i < WARM_UP + ACTS && !(i > 2 * WARM_UP && kit_hurries(kit)); i++) {
		if (i == WARM_UP)
			process_measure(&before);
		struct arena memory = kit->memory;
		kit->memory = (struct arena){ 0 };
		http_fake_set(i % 3 ? &deed_good[(size_t)i % deed_n_good] : &deed_bad[(size_t)i % deed_n_bad], NULL, 0);
		kit_what(kit, "call %d", i);
		deed_act(&deed, 1 + (size_t)i % 3);
		arena_fini(&kit->memory);
		kit->memory = memory;
	}
	call_begin(&deed.guest.call, 0);
	process_measure(&after);
	after.descriptors -= after.descriptors > before.descriptors && after.descriptors - before.descriptors <= 4
				     ? after.descriptors - before.descriptors
				     : 0; /* a connection, a file of another day */
	judge_growth(kit, &before, &after, (size_t)i - WARM_UP, "many calls of act()");
	deed_close(&deed);
}

void test_life_calls(struct kit *kit)
{
	if (kit->shared->ready[SIDE_SOURCE])
		call_sources(kit);
	if (kit->shared->ready[SIDE_SINK])
		call_sinks(kit);
}

/* ---- What it may need, and do */

void test_life_bare_host(struct kit *kit)
{
	kit->no_services = true;
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		const struct config_secrets *secrets;
		struct guest guest;
		if (!kit->shared->ready[side])
			continue;
		kit->no_services = false; /* for check(), which is asked while the options are read */
		const void *options = kit_options(kit, side, 0, &secrets);
		kit->no_services = true;
		kit_what(kit, "a %s, at a host that has no service", kit_side_name(side));
		patchbay_status status = guest_create(&guest, kit, side, options, secrets);
		if (status != PATCHBAY_OK && guest_why(&guest).n == 0)
			kit_fail(
				kit,
				"when the host has none of the services, create() of its %s answers %s without a word; "
				"explain() which one is missing",
				kit_side_name(side), kit_status_name(status));
		if (status == PATCHBAY_OK && side == SIDE_SOURCE) {
			struct bench bench = { .kit = kit, .client = STR("203.0.113.77") };
			patchbay_request r = bench_plain(&bench, STR("{\"id\":1}"));
			(void)bench_verify(&guest, &r);
		}
		guest_close(&guest);
	}
}

/* What a table of options describes: the struct, and the texts that it leads to. */
static uint64_t sum_options(struct kit *kit, enum side side, const void *options)
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(kit->plugin, side, &n, &size);
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		h = (h ^ ((const unsigned char *)options)[i]) * UINT64_C(0x100000001b3);
	for (uint32_t i = 0; i < n; i++) {
		patchbay_strs list;
		patchbay_str one;
		if (table[i].type != PATCHBAY_T_STR && table[i].type != PATCHBAY_T_STRS)
			continue;
		memcpy(&one, (const char *)options + table[i].offset, sizeof(one));
		memcpy(&list, (const char *)options + table[i].offset, sizeof(list));
		if (table[i].type == PATCHBAY_T_STR)
			list = (patchbay_strs){ &one, 1 };
		for (size_t k = 0; k < list.n; k++)
			for (size_t at = 0; at < list.v[k].n; at++)
				h = (h ^ (unsigned char)list.v[k].p[at]) * UINT64_C(0x100000001b3);
	}
	return h;
}

void test_life_check(struct kit *kit)
{
	const struct config_secrets *secrets;
	struct process_size before, after;
	const void *options[2] = { NULL, NULL };

	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++)
		if (kit->shared->ready[side])
			options[side] = kit_options(kit, side, 0, &secrets);
	process_measure(&before);
	kit_forbid(kit, FORBID_NETWORK | FORBID_CHANGES | FORBID_WAITING);
	for (int i = 0; i < 20; i++) {
		for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
			patchbay_str said;
			if (options[side] && guest_check(kit, side, options[side], &said) != PATCHBAY_OK)
				kit_fail(kit, "check() of its %s refuses options that it took before: %.*s",
					 kit_side_name(side), STR_ARG(said));
		}
	}
	process_measure(&after);
	if (after.descriptors > before.descriptors || after.threads > before.threads)
		kit_fail(kit, "check() leaves %zu descriptors and %zu threads behind; it must have no effects",
			 after.descriptors - before.descriptors, after.threads - before.threads);
}

void test_life_create(struct kit *kit)
{
	const struct config_secrets *secrets[2];
	const void *options[2] = { NULL, NULL };

	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++)
		if (kit->shared->ready[side])
			options[side] = kit_options(kit, side, 0, &secrets[side]);
	kit_forbid(kit, FORBID_NETWORK | FORBID_WAITING);
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		int64_t best = INT64_MAX;
		uint64_t sum = options[side] ? sum_options(kit, side, options[side]) : 0;
		for (int i = 0; i < 5 && options[side]; i++) {
			struct guest guest;
			int64_t began = clock_steady_ns();
			patchbay_status status = guest_create(&guest, kit, side, options[side], secrets[side]);
			int64_t took = clock_steady_ns() - began;
			best = took < best ? took : best;
			if (status != PATCHBAY_OK)
				kit_fail(kit, "create() of its %s refuses options that it took before: %.*s",
					 kit_side_name(side), STR_ARG(guest_why(&guest)));
			guest_close(&guest);
			if (sum_options(kit, side, options[side]) != sum)
				kit_fail(kit,
					 "create() or destroy() of its %s changes the options, which are the host's, "
					 "and of "
					 "which more instances are made; copy what is to be changed or wiped",
					 kit_side_name(side));
		}
		if (options[side] && best > CREATE_MS * NS_PER_MS * (KIT_SANITIZED ? 10 : 1))
			kit_fail(
				kit,
				"create() of its %s takes %lld ms; it must be fast: connect at the first call of act()",
				kit_side_name(side), (long long)(best / NS_PER_MS));
	}
}

/* ---- Neighbours */

static void must_be(struct kit *kit, struct guest *guest, const patchbay_request *r, bool genuine, const char *when)
{
	kit_what(kit, "%s", when);
	bool is = bench_verify(guest, r) == PATCHBAY_OK;
	if (is && !genuine)
		kit_fail(kit,
			 "%s, an instance takes what is signed with the other's secret: instances must share nothing",
			 when);
	if (!is && genuine)
		kit_fail(
			kit,
			"%s, an instance refuses what it signed itself ('%.*s'): instances must share nothing, nor may "
			"one destroy what is another's",
			when, STR_ARG(guest_why(guest)));
}

static void source_neighbours(struct kit *kit)
{
	struct bench bench;
	struct guest b;
	patchbay_request of_a = { 0 }, of_b, plain = { 0 };

	bench_open(&bench, kit, true);
	bool signs = bench.can_play && bench_pick(&bench, false, &of_a, &plain);
	guest_open(&b, kit, SIDE_SOURCE, 1);
	of_b = plain;
	signs = signs && bench_sign(&bench, &b, &of_b) == PATCHBAY_OK;
	signs = signs && (of_a.n_headers != plain.n_headers || !str_eq(of_a.body, plain.body)); /* else all are alike */
	for (int i = 0; signs && i < 3; i++) {
		must_be(kit, &bench.a, &of_a, true, "while two instances exist");
		must_be(kit, &b, &of_b, true, "while two instances exist");
	}
	guest_close(&b);
	if (signs)
		must_be(kit, &bench.a, &of_a, true, "after another instance was destroyed");
	for (int i = 0; i < 4; i++) {
		guest_open(&b, kit, SIDE_SOURCE, i % 2);
		if (signs)
			must_be(kit, &bench.a, &of_a, true, "after another instance was created");
		guest_close(&b);
	}
	bench_close(&bench);
}

static void sink_neighbours(struct kit *kit)
{
	struct deed deed;
	struct guest b, c;

	deed_open(&deed, kit);
	kit_what(kit, "two sinks");
	guest_open(&b, kit, SIDE_SINK, 1);
	deed_act(&deed, 1);
	guest_close(&b);
	kit_what(kit, "after another sink was destroyed");
	deed_act(&deed, 1);
	guest_open(&b, kit, SIDE_SINK, 1);
	guest_open(&c, kit, SIDE_SINK, 1);
	deed_close(&deed);
	kit_what(kit, "two sinks, the first destroyed first");
	guest_close(&b);
	guest_close(&c);
}

void test_life_neighbours(struct kit *kit)
{
	process_isolate_network();
	if (kit->shared->ready[SIDE_SOURCE])
		source_neighbours(kit);
	if (kit->shared->ready[SIDE_SINK])
		sink_neighbours(kit);
}

/* ---- The clock: what the plugin's own code asks the system for */

static struct {
	struct kit *kit;
	char called[400]; /* "time() in verify()" */
} clock_watch;

static void note_clock(const char *function)
{
	if (!clock_watch.called[0])
		snprintf(clock_watch.called, sizeof(clock_watch.called), "%s in %.300s", function,
			 clock_watch.kit->shared->calling[0] ? clock_watch.kit->shared->calling
							     : "a thread of its own");
}

static time_t watched_time(time_t *ret)
{
	note_clock("time()");
	return time(ret);
}

static int watched_gettimeofday(struct timeval *ret, void *zone)
{
	note_clock("gettimeofday()");
	return gettimeofday(ret, zone);
}

static int watched_clock_gettime(clockid_t id, struct timespec *ret)
{
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		note_clock("clock_gettime(CLOCK_REALTIME)");
	return clock_gettime(id, ret);
}

static int watched_timespec_get(struct timespec *ret, int base)
{
	note_clock("timespec_get()");
	return timespec_get(ret, base);
}

void test_life_clock(struct kit *kit)
{
	const void *code = NULL;
	union {
		patchbay_status (*create)(const patchbay_host *, patchbay_call *, const void *, void **);
		void *address;
	} in = { kit->plugin->source ? kit->plugin->source->create : kit->plugin->sink->create };
	union {
		time_t (*time)(time_t *);
		int (*gettimeofday)(struct timeval *, void *);
		int (*clock_gettime)(clockid_t, struct timespec *);
		int (*timespec_get)(struct timespec *, int);
		void *address;
	} f[] = { { .time = watched_time },
		  { .gettimeofday = watched_gettimeofday },
		  { .clock_gettime = watched_clock_gettime },
		  { .timespec_get = watched_timespec_get } };
	static const char *const names[] = { "time", "gettimeofday", "clock_gettime", "timespec_get" };
	size_t found = 0;

	code = in.address;
	clock_watch.kit = kit;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		found += elf_redirect(code, names[i], f[i].address);
	if (!found)
		return; /* it knows no clock but the host's */
	process_isolate_network();
	if (kit->shared->ready[SIDE_SOURCE]) {
		struct bench bench;
		bench_open(&bench, kit, true);
		for (int i = 0; i < 40; i++)
			call_source(kit, &bench, i);
		bench_close(&bench);
	}
	if (kit->shared->ready[SIDE_SINK]) {
		struct deed deed;
		deed_open(&deed, kit);
		for (size_t i = 0; i < deed_n_good; i++) {
			http_fake_set(&deed_good[i], NULL, 0);
			deed_act(&deed, 2);
		}
		deed_close(&deed);
	}
	if (clock_watch.called[0])
		kit_fail(kit,
			 "calls %s; the host's clock is the only one: host->now_ns(), or what a request or an event "
			 "says",
			 clock_watch.called);
}
