/* test_parse.c - the events of genuine requests: well formed, and a pure function of the bytes. */
#include "conform/tests.h"

#include "base/clock.h"
#include "base/json.h"
#include "conform/bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 40
#define THREADS 8
#define SERIALS (KIT_SANITIZED ? 500u : 3000u)
#define RACE_MS 400 /* as long as it takes to meet another thread in the middle of something, on a busy machine */
#define DAY_NS (INT64_C(86400) * 1000000000)

/* A genuine request whose events are known. */
struct sample {
	const char *name;
	bool direct; /* nobody signed it: parse() alone is asked */
	patchbay_request r;
	struct taken taken;
};

struct samples {
	struct bench *bench;
	struct sample v[SAMPLES_MAX];
	size_t n;
};

static void add_sample(struct samples *s, struct kit *kit, uint32_t i, uint64_t serial)
{
	struct sample *sample = &s->v[s->n];

	*sample = (struct sample){ .name = simulate_sample(&s->bench->play, i).name };
	kit_what(kit, "sample '%s', serial %llu", sample->name, (unsigned long long)serial);
	if (bench_sample(s->bench, &s->bench->a, i, serial, 0, &sample->r, NULL) != PATCHBAY_OK ||
	    bench_verify(&s->bench->a, &sample->r) != PATCHBAY_OK)
		return;
	taken_init(&sample->taken, &sample->r);
	sample->taken.plausible = kit->judges_events;
	patchbay_status status = bench_parse(&s->bench->a, &sample->r, &sample->taken);
	if (sample->taken.fault[0] && kit->judges_events)
		kit_fail(kit, "parse() emits what is not well formed, with sample '%s': %s", sample->name,
			 sample->taken.fault);
	if (status == PATCHBAY_OK)
		s->n++;
	else
		taken_fini(&sample->taken);
}

/* Of a plugin that plays nothing: what parse() makes of some texts, if it makes anything of them. */
static void add_texts(struct samples *s, struct kit *kit)
{
	static const char *const texts[] = {
		"{\"id\":\"a1\",\"type\":\"opened\",\"action\":\"opened\",\"event\":\"opened\",\"data\":{\"id\":\"d1\"}"
		"}",
		"{\"id\":\"a2\",\"type\":\"closed\",\"action\":\"closed\",\"event\":\"closed\",\"data\":{\"id\":\"d2\"}"
		"}",
		"[{\"id\":\"a3\",\"type\":\"opened\",\"event\":\"opened\"},{\"id\":\"a4\",\"type\":\"closed\","
		"\"event\":\"x\"}]",
		"{\"id\":5,\"type\":\"x\",\"created_at\":\"2025-11-22T04:13:54Z\",\"timestamp\":1763812800}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sample *sample = &s->v[s->n];
		*sample = (struct sample){ .name = kit_format(kit, "text %zu", i + 1).p,
					   .r = bench_plain(s->bench, str_c(texts[i])),
					   .direct = true };
		kit_what(kit, "the body %.60s", texts[i]);
		taken_init(&sample->taken, &sample->r);
		(void)bench_verify(&s->bench->a, &sample->r);
		patchbay_status status = bench_parse(&s->bench->a, &sample->r, &sample->taken);
		if (status == PATCHBAY_OK && sample->taken.n > 0)
			s->n++;
		else
			taken_fini(&sample->taken);
	}
}

/* texts: will those do, where there are no samples? */
static void open_samples(struct samples *s, struct kit *kit, struct bench *bench, bool texts)
{
	s->n = 0;
	s->bench = bench;
	bench_open(bench, kit, texts && !bench_plays(kit));
	if (!bench->can_play)
		add_texts(s, kit);
	for (uint32_t i = 0; bench->can_play && i < bench->play.n_samples && s->n < SAMPLES_MAX; i++)
		add_sample(s, kit, i, 0);
	if (s->n == 0 && !bench->can_play)
		kit_skip(kit, BENCH_NO_PLAY);
	if (s->n == 0)
		kit_skip(kit, "no sample of the plugin's is genuine and understood; see source.genuine");
}

static void close_samples(struct samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		taken_fini(&s->v[i].taken);
	bench_close(s->bench);
}

void test_parse_events(struct kit *kit)
{
	struct samples s;
	struct bench bench;
	size_t events = 0;

	kit->judges_events = true;
	s.n = 0;
	s.bench = &bench;
	bench_open(&bench, kit, false);
	for (uint32_t i = 0; i < bench.play.n_samples && s.n < SAMPLES_MAX; i++)
		for (int round = 0; round < 2 && s.n < SAMPLES_MAX; round++)
			add_sample(&s, kit, i, round ? kit_random(kit) : 0);
	for (size_t i = 0; i < s.n; i++)
		events += s.v[i].taken.n;
	kit_info(kit, "%zu events", events);
	close_samples(&s);
}

/* ---- Pure */

static void take(struct guest *guest, const struct sample *sample, const patchbay_request *r, struct taken *taken)
{
	if (!sample->direct) {
		bench_take(guest, r, taken);
		return;
	}
	taken_init(taken, r);
	(void)bench_verify(guest, r);
	(void)bench_parse(guest, r, taken);
}

static void compare(struct kit *kit, struct guest *guest, const struct sample *sample, const patchbay_request *r,
		    const char *when)
{
	struct taken now;
	char why[400];

	kit_what(kit, "sample '%s' %s", sample->name, when);
	take(guest, sample, r, &now);
	if (!taken_same(&sample->taken, &now, why, sizeof(why)))
		kit_fail(kit,
			 "sample '%s' gives other events %s: %s. Same bytes, same events: nothing but the request may "
			 "count",
			 sample->name, when, why);
	taken_fini(&now);
}

void test_parse_pure(struct kit *kit)
{
	struct samples s;
	struct bench bench;
	struct guest second;
	const struct config_secrets *secrets;

	open_samples(&s, kit, &bench, true);
	for (size_t i = 0; i < s.n; i++)
		compare(kit, &bench.a, &s.v[i], &s.v[i].r, "when it is parsed again");
	for (size_t i = s.n; i-- > 0;)
		compare(kit, &bench.a, &s.v[i], &s.v[i].r, "after others were parsed");
	for (size_t i = 0; i < s.n; i++) {
		patchbay_request elsewhere = wire_copy(kit, &s.v[i].r);
		compare(kit, &bench.a, &s.v[i], &elsewhere, "when the same bytes are elsewhere in memory");
	}
	for (size_t i = 0; i < s.n; i++) {
		patchbay_request retried = wire_copy(kit, &s.v[i].r);
		static const uint8_t addr[16] = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 9 };
		retried.received_ns += INT64_C(2000000000);
		if (!bench.by_address) {
			memcpy(retried.client_addr, addr, sizeof(addr));
			retried.client = STR("198.51.100.9");
		}
		if (s.v[i].direct || bench_verify(&bench.a, &retried) == PATCHBAY_OK)
			compare(kit, &bench.a, &s.v[i], &retried, "when it comes again, later or from another address");
	}
	const void *options = kit_options(kit, SIDE_SOURCE, 0, &secrets);
	if (guest_create(&second, kit, SIDE_SOURCE, options, secrets) != PATCHBAY_OK)
		kit_fail(kit, "a second instance with the same options cannot be created: %.*s",
			 STR_ARG(guest_why(&second)));
	for (size_t i = 0; i < s.n; i++)
		compare(kit, &second, &s.v[i], &s.v[i].r, "in a second instance");
	kit->clock_ns += 400 * DAY_NS + 12345678901;
	for (size_t i = 0; i < s.n; i++)
		if (s.v[i].direct || bench_verify(&second, &s.v[i].r) == PATCHBAY_OK) /* else see source.clock */
			compare(kit, &second, &s.v[i], &s.v[i].r, "when the host's clock says something else");
	guest_close(&second);
	close_samples(&s);
}

/* ---- Keys */

static void must_differ(struct kit *kit, const struct sample *a, const struct sample *b, const char *what)
{
	for (size_t i = 0; i < a->taken.n; i++) {
		for (size_t k = a == b ? i + 1 : 0; k < b->taken.n; k++) {
			const struct taken_event *x = &a->taken.v[i], *y = &b->taken.v[k];
			if ((a->name != b->name && str_eq(x->type, y->type)) || /* the same, written in two ways */
			    x->dedupe != PATCHBAY_DEDUPE_KEY || y->dedupe != PATCHBAY_DEDUPE_KEY ||
			    (x->flags | y->flags) & PATCHBAY_EVENT_TEST || x->key.n == 0 || !str_eq(x->key, y->key) ||
			    str_eq(x->data, y->data))
				continue;
			kit_fail(kit,
				 "%s ('%s' and '%s') have the same key, '%.*s', so the second would be dropped as a "
				 "repeat of the first; the key must name the event",
				 what, a->name, b->name, STR_ARG(kit_show(kit, x->key)));
		}
	}
}

struct serial_key {
	uint64_t key, data, serial;
};

static uint64_t hash(patchbay_str s) /* FNV-1a */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static int compare_keys(const void *a, const void *b)
{
	const struct serial_key *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

/* Many events of one sample: some with serials one behind the other, the others far apart. */
static void many_serials(struct kit *kit, struct bench *bench, uint32_t sample)
{
	struct serial_key *v = kit_alloc(kit, SERIALS * sizeof(*v));
	const char *name = simulate_sample(&bench->play, sample).name;
	uint64_t base = kit_random(kit) >> 1;
	size_t n = 0;

	for (uint64_t i = 0; i < SERIALS && !kit_hurries(kit); i++) {
		struct arena memory = kit->memory; /* what this round needs is given back */
		struct samples one = { .bench = bench, .n = 0 };
		kit->memory = (struct arena){ 0 };
		uint64_t serial = i % 2 ? kit_random(kit) : base + i;
		add_sample(&one, kit, sample, serial);
		for (size_t k = 0; k < one.n; k++) {
			const struct taken_event *e = one.v[k].taken.v;
			if (one.v[k].taken.n > 0 && e->dedupe == PATCHBAY_DEDUPE_KEY && e->key.n &&
			    !(e->flags & PATCHBAY_EVENT_TEST))
				v[n++] = (struct serial_key){ hash(e->key), hash(e->data), serial };
			taken_fini(&one.v[k].taken);
		}
		arena_fini(&kit->memory);
		kit->memory = memory;
	}
	qsort(v, n, sizeof(*v), compare_keys);
	for (size_t i = 1; i < n; i++) {
		if (v[i].key != v[i - 1].key)
			continue;
		if (v[i].data == v[i - 1].data)
			kit_fail(kit,
				 "body() of sample '%s' gives the same event with the serials %llu and %llu; each "
				 "serial "
				 "is another event: patchbay_edit_id() gives it an id of its own",
				 name, (unsigned long long)v[i - 1].serial, (unsigned long long)v[i].serial);
		kit_fail(kit,
			 "among %zu events of sample '%s' two different ones (serials %llu and %llu) have the same "
			 "key, so "
			 "the second would be dropped as a repeat; the key must be all of what names the event",
			 n, name, (unsigned long long)v[i - 1].serial, (unsigned long long)v[i].serial);
	}
}

void test_parse_keys(struct kit *kit)
{
	struct samples s;
	struct bench bench;
	size_t strong = 0;

	open_samples(&s, kit, &bench, false);
	for (size_t i = 0; i < s.n; i++) {
		must_differ(kit, &s.v[i], &s.v[i], "two events of one request");
		for (size_t k = 0; k < i; k++)
			must_differ(kit, &s.v[k], &s.v[i], "two different samples");
		for (size_t e = 0; e < s.v[i].taken.n; e++)
			strong += s.v[i].taken.v[e].dedupe == PATCHBAY_DEDUPE_KEY;
	}
	for (uint32_t i = 0; i < bench.play.n_samples && i < SAMPLES_MAX; i++) {
		struct samples two = { .bench = &bench, .n = 0 };
		add_sample(&two, kit, i, kit_random(kit));
		add_sample(&two, kit, i, kit_random(kit));
		if (two.n == 2)
			must_differ(kit, &two.v[0], &two.v[1], "two events of one sample, with other serials");
		for (size_t k = 0; k < two.n; k++)
			taken_fini(&two.v[k].taken);
	}
	for (uint32_t i = 0; i < bench.play.n_samples && i < 4; i++)
		many_serials(kit, &bench, i);
	kit_info(kit, "%zu with a strong key", strong);
	close_samples(&s);
}

/* ---- What is not understood */

static void must_refuse(struct kit *kit, struct bench *bench, const patchbay_request *plain, patchbay_str body)
{
	patchbay_request r = bench_with_body(bench, plain, body);
	struct taken taken;

	taken_init(&taken, &r);
	if (bench_verify(&bench->a, &r) == PATCHBAY_OK) {
		patchbay_str said = kit_copy(kit, guest_why(&bench->a));
		patchbay_status status = bench_parse(&bench->a, &r, &taken);
		patchbay_str why = guest_why(&bench->a);
		if (status == PATCHBAY_OK && taken.n == 0)
			kit_fail(
				kit,
				"parse() answers OK to %s, and emits nothing: it would be acknowledged, and lost; what "
				"is not understood is EMALFORMED",
				kit->what);
		if (status == PATCHBAY_EMALFORMED && (why.n == 0 || str_eq(why, said)))
			kit_fail(kit,
				 "parse() answers EMALFORMED to %s without a word; explain() what is wrong with it",
				 kit->what);
	}
	taken_fini(&taken);
}

void test_parse_malformed(struct kit *kit)
{
	static const char *const texts[] = { "{", "not JSON at all", "<html></html>", "[1" };
	struct bench bench;
	patchbay_request r, plain;
	patchbay_call call;

	bench_open(&bench, kit, false);
	bench_pick(&bench, true, &r, &plain);
	call_init(&call, 0);
	bool json = json_parse(&call, plain.body) != NULL;
	call_fini(&call);
	if (!json)
		kit_skip(kit, "its samples are no JSON");
	kit_what(kit, "the first half of a sample");
	must_refuse(kit, &bench, &plain, (patchbay_str){ plain.body.p, plain.body.n / 2 });
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		kit_what(kit, "the body %s", texts[i]);
		must_refuse(kit, &bench, &plain, str_c(texts[i]));
	}
	bench_close(&bench);
}

/* ---- When the host takes no more */

void test_parse_refusal(struct kit *kit)
{
	struct samples s;
	struct bench bench;
	size_t tried = 0;

	open_samples(&s, kit, &bench, true);
	for (size_t i = 0; i < s.n; i++) {
		for (size_t k = 1; k <= s.v[i].taken.n && k <= 4; k++) {
			struct taken refused;
			taken_init(&refused, &s.v[i].r);
			refused.refuse_from = k;
			kit_what(kit, "sample '%s', emit() refusing event %zu", s.v[i].name, k);
			bench_verify(&bench.a, &s.v[i].r);
			patchbay_status status = bench_parse(&bench.a, &s.v[i].r, &refused);
			if (refused.refused && status != PATCHBAY_ENOMEM)
				kit_fail(kit,
					 "emit() answers ENOMEM to event %zu of sample '%s', and parse() answers %s; "
					 "it must return what emit() answers",
					 k, s.v[i].name, kit_status_name(status));
			tried += refused.refused;
			taken_fini(&refused);
		}
	}
	if (!tried)
		kit_skip(kit, "no sample emits an event");
	close_samples(&s);
}

/* ---- Threads */

struct thread {
	pthread_t id;
	const struct samples *samples;
	struct guest *guest;
	size_t from;
	char fault[500];
};

static void *parse_at_once(void *p)
{
	struct thread *t = p;
	const patchbay_source *source = t->guest->kit->plugin->source;
	patchbay_call call;

	call_init(&call, (size_t)34 << 20);
	const int64_t until = clock_steady_ns() + RACE_MS * NS_PER_MS;
	for (size_t i = 0; (i < t->samples->n || clock_steady_ns() < until) && !t->fault[0]; i++) {
		const struct sample *sample = &t->samples->v[(t->from + i) % t->samples->n];
		patchbay_reply reply = { .size = sizeof(reply) };
		struct taken now;
		char why[400];
		taken_init(&now, &sample->r);
		now.yields = true;
		const patchbay_emitter emitter = taken_emitter(&now);
		call_begin(&call, 60000);
		patchbay_status status = source->verify(t->guest->self, &call, &sample->r, &reply);
		if (status == PATCHBAY_OK || sample->direct)
			status = source->parse(t->guest->self, &call, &sample->r, &emitter);
		if (status != PATCHBAY_OK)
			snprintf(t->fault, sizeof(t->fault), "sample '%s' is answered %s", sample->name,
				 kit_status_name(status));
		else if (!taken_same(&sample->taken, &now, why, sizeof(why)))
			snprintf(t->fault, sizeof(t->fault), "sample '%s': %s", sample->name, why);
		taken_fini(&now);
	}
	call_fini(&call);
	return NULL;
}

void test_parse_threads(struct kit *kit)
{
	struct samples s;
	struct bench bench;
	struct thread threads[THREADS];

	open_samples(&s, kit, &bench, true);
	kit_what(kit, "%d threads at once", THREADS);
	kit_enter(kit, "verify() and parse()");
	kit->muted = true;
	for (size_t i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){ .samples = &s, .guest = &bench.a, .from = i };
		if (pthread_create(&threads[i].id, NULL, parse_at_once, &threads[i]) != 0)
			kit_fail(kit, "a thread could not be started");
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	kit->muted = false;
	kit_leave(kit, "verify() and parse()");
	for (size_t i = 0; i < THREADS; i++)
		if (threads[i].fault[0])
			kit_fail(kit,
				 "called by %d threads at once on one instance: %s; verify() and parse() share the "
				 "instance, so they must change nothing in it, nor in static variables",
				 THREADS, threads[i].fault);
	close_samples(&s);
}
