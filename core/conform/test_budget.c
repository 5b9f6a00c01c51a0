/* test_budget.c - verify() and parse() run in the thread that takes everything in: they only compute, and not for long.
 */
#include "conform/tests.h"

#include "base/clock.h"
#include "conform/bench.h"

#include <stdlib.h>

#define ROUNDS 400
#define LONG_NS (NS_PER_MS * (KIT_SANITIZED ? 10000 : 500))
#define BUDGET_NS (NS_PER_MS * (KIT_SANITIZED ? 40 : 1))

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void time_request(struct bench *bench, const patchbay_request *r, int64_t *times)
{
	struct kit *kit = bench->kit;
	const patchbay_source *source = kit->plugin->source;

	for (int i = 0; i < ROUNDS; i++) {
		patchbay_reply reply = { .size = sizeof(reply) };
		struct taken taken;
		taken_init(&taken, r);
		const patchbay_emitter emitter = taken_emitter(&taken);
		guest_begin(&bench->a, 1000);
		int64_t began = clock_steady_ns();
		if (source->verify(bench->a.self, &bench->a.call, r, &reply) == PATCHBAY_OK)
			(void)source->parse(bench->a.self, &bench->a.call, r, &emitter);
		times[i] = clock_steady_ns() - began;
		taken_fini(&taken);
		if (i == 20 && times[i] > 100 * NS_PER_MS) { /* no need to go on */
			for (int k = i + 1; k < ROUNDS; k++)
				times[k] = times[i];
			return;
		}
	}
}

void test_budget_time(struct kit *kit)
{
	struct bench bench;
	int64_t times[ROUNDS], worst_50 = 0, worst_99 = 0;

	bench_open(&bench, kit, true);
	uint32_t n = bench.can_play ? bench.play.n_samples : 0;
	for (uint32_t i = 0; i <= n && i < 40; i++) {
		patchbay_request r = bench_plain(&bench, STR("{\"id\":1,\"type\":\"x\"}"));
		const char *name = i < n ? simulate_sample(&bench.play, i).name : "unsigned";
		if (i < n && bench_sample(&bench, &bench.a, i, 0, 0, &r, NULL) != PATCHBAY_OK)
			continue;
		kit_what(kit, "request '%s', timed", name);
		kit_enter(kit, "verify() and parse()");
		kit->muted = true;
		time_request(&bench, &r, times);
		kit->muted = false;
		kit_leave(kit, "verify() and parse()");
		qsort(times, ROUNDS, sizeof(times[0]), compare);
		worst_50 = times[ROUNDS / 2] > worst_50 ? times[ROUNDS / 2] : worst_50;
		worst_99 = times[ROUNDS * 99 / 100] > worst_99 ? times[ROUNDS * 99 / 100] : worst_99;
		if (times[ROUNDS / 2] > BUDGET_NS)
			kit_fail(kit,
				 "verify() and parse() of request '%s' take %lld µs, half of the time more (p99 %lld "
				 "µs); 1 ms is the budget: everything that comes in waits meanwhile",
				 name, (long long)times[ROUNDS / 2] / 1000, (long long)times[ROUNDS * 99 / 100] / 1000);
	}
	kit_info(kit, "p50 %lld µs, p99 %lld µs", (long long)worst_50 / 1000, (long long)worst_99 / 1000);
	bench_close(&bench);
}

/* A body of about so many bytes, made of a sample's. */
static patchbay_str long_body(struct kit *kit, patchbay_str sample, int form, size_t size)
{
	struct buf out = { 0 };
	bool object = sample.n > 2 && sample.p[0] == '{';

	buf_addf(&out, form == 0 ? "[" : object ? "{" : "[");
	while (out.n < size) {
		if (form == 0)
			buf_addf(&out, "%.*s,", STR_ARG(sample));
		else if (form == 1)
			buf_addf(&out, object ? "\"m%zu\":%zu," : "%zu,%zu,", out.n, out.n);
		else if (form == 2)
			buf_addf(&out, "%sA long text, \\\"quoted\\\", \\u00e9%s",
				 out.n > 1 ? ""
				 : object  ? "\"m\":\""
					   : "\"",
				 out.n + 40 < size ? "" : "\",");
		else
			buf_addf(&out, "          ");
	}
	if (form == 0)
		buf_addf(&out, "%.*s]", STR_ARG(sample));
	else if (object)
		buf_add_str(&out, (patchbay_str){ sample.p + 1, sample.n - 1 });
	else
		buf_addf(&out, "%.*s]", STR_ARG(sample));
	patchbay_str body = kit_copy(kit, buf_str(&out));
	buf_free(&out);
	return body;
}

void test_budget_long(struct kit *kit)
{
	static const char *const forms[] = { "events", "members", "a text", "space" };
	struct bench bench;
	patchbay_request r = { 0 }, plain;
	int64_t worst = 0;

	bench_open(&bench, kit, true);
	if (!bench.can_play || !bench_pick(&bench, false, &r, &plain))
		plain = bench_plain(&bench, STR("{\"id\":1,\"type\":\"x\"}"));
	for (int form = 0; form < 4; form++) {
		for (size_t size = 64 << 10; size <= 1 << 20; size *= 4) {
			struct taken taken;
			r = bench_with_body(&bench, &plain, long_body(kit, plain.body, form, size));
			kit_what(kit, "a body of %zu bytes with many %s", r.body.n, forms[form]);
			taken_init(&taken, &r);
			int64_t began = clock_steady_ns();
			if (bench_verify(&bench.a, &r) != PATCHBAY_REPLY)
				(void)bench_parse(&bench.a, &r, &taken);
			int64_t took = clock_steady_ns() - began;
			taken_fini(&taken);
			worst = took > worst ? took : worst;
			if (took > LONG_NS)
				kit_fail(kit,
					 "verify() and parse() of a body of %zu bytes (%s) take %lld ms; go over it "
					 "once, "
					 "not again for each of its parts: everything that comes in waits meanwhile",
					 r.body.n, forms[form], (long long)(took / NS_PER_MS));
		}
	}
	kit_info(kit, "%lld ms for a megabyte", (long long)(worst / NS_PER_MS));
	bench_close(&bench);
}

void test_budget_calls(struct kit *kit)
{
	struct bench bench;
	patchbay_request v[40];
	size_t n = 0;

	bench_open(&bench, kit, true);
	for (uint32_t i = 0; bench.can_play && i < bench.play.n_samples && n < 39; i++)
		if (bench_sample(&bench, &bench.a, i, 0, 0, &v[n], NULL) == PATCHBAY_OK)
			n++;
	v[n++] = bench_plain(&bench, STR("{\"id\":1,\"type\":\"x\"}"));
	for (size_t i = 0; i < n; i++) { /* what the libraries do for the first time is not held against it */
		struct taken taken;
		taken_init(&taken, &v[i]);
		if (bench_verify(&bench.a, &v[i]) == PATCHBAY_OK)
			bench_parse(&bench.a, &v[i], &taken);
		taken_fini(&taken);
	}
	kit_forbid(kit, FORBID_NETWORK | FORBID_CHANGES | FORBID_FILES | FORBID_WAITING);
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			struct taken taken;
			taken_init(&taken, &v[i]);
			if (bench_verify(&bench.a, &v[i]) == PATCHBAY_OK)
				bench_parse(&bench.a, &v[i], &taken);
			taken_fini(&taken);
		}
	}
}
