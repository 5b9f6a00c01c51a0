/* test_hostile.c - requests that nobody sane sends. Where the plugin can sign them they are genuine, and get as far as
 * they can; else parse() is called all the same. What is emitted must be well formed, whatever it is made of. */
#include "conform/tests.h"

#include "conform/bench.h"
#include "conform/fence.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LENGTHS_MAX (KIT_SANITIZED ? 100 : 500) /* of those in the middle */
#define MUTATIONS (KIT_SANITIZED ? 150 : 1500)
#define NESTING 10000
#define SAMPLES_MAX 40

/* Events are judged, unless those of a plain sample are wrong already: see parse.events. */
static void open_hostile(struct bench *bench, struct kit *kit)
{
	patchbay_request r, plain;
	struct taken taken;

	bench_open(bench, kit, true);
	kit->judges_events = true;
	if (!bench->can_play || !bench_pick(bench, false, &r, &plain))
		return;
	kit->judges_events = false;
	taken_init(&taken, &r);
	bench_verify(&bench->a, &r);
	bench_parse(&bench->a, &r, &taken);
	kit->judges_events = !taken.fault[0] && !taken.refused;
	taken_fini(&taken);
}

/* verify() and parse(), in fenced memory. */
static void try_request(struct bench *bench, const patchbay_request *r, unsigned flags)
{
	struct kit *kit = bench->kit;
	struct fence fence;
	struct taken taken;
	patchbay_request *fenced = fence_request(&fence, kit, r, flags);

	taken_init(&taken, fenced);
	if (bench_verify(&bench->a, fenced) != PATCHBAY_REPLY)
		bench_parse(&bench->a, fenced, &taken);
	taken_fini(&taken);
	fence_fini(&fence);
}

static void try_body(struct bench *bench, const patchbay_request *plain, patchbay_str body)
{
	patchbay_request r = bench_with_body(bench, plain, body);

	for (unsigned flags = 0; flags <= FENCE_AT_START; flags++)
		try_request(bench, &r, flags);
}

/* Bodies to start from: those of the samples, or what a provider may send. */
static size_t list_bodies(struct bench *bench, patchbay_request *v)
{
	struct kit *kit = bench->kit;
	size_t n = 0;

	for (uint32_t i = 0; bench->can_play && i < bench->play.n_samples && n < SAMPLES_MAX; i++) {
		patchbay_request r;
		if (bench_sample(bench, &bench->a, i, 0, 0, &r, &v[n]) == PATCHBAY_OK)
			n++;
	}
	if (n == 0)
		v[n++] = bench_plain(bench,
				     kit_format(kit, "{\"id\":\"%d\",\"type\":\"x\",\"data\":{\"a\":[1,2,3]}}", 1));
	return n;
}

void test_hostile_truncated(struct kit *kit)
{
	struct bench bench;
	patchbay_request v[SAMPLES_MAX];

	open_hostile(&bench, kit);
	size_t n = list_bodies(&bench, v), tried = 0;
	size_t some = LENGTHS_MAX / n + 4;
	for (size_t i = 0; i < n; i++) {
		patchbay_str body = v[i].body;
		size_t step = body.n / some + 1;
		for (size_t cut = 0; cut < body.n && !(tried > 200 && kit_hurries(kit));
		     cut += cut < 64 || cut + 64 >= body.n ? 1 : step, tried++) {
			kit_what(kit, "body %zu cut to %zu of %zu bytes", i + 1, cut, body.n);
			try_body(&bench, &v[i], (patchbay_str){ body.p, cut });
			arena_reset(&bench.a.call.arena);
		}
	}
	kit_info(kit, "%zu lengths", tried);
	bench_close(&bench);
}

static patchbay_str mutate(struct kit *kit, patchbay_str body)
{
	static const char odd[] = "{}[]\",:\\0-.eEtfnu\xff\x80\xc0\x01 ";
	char *p = kit_alloc(kit, body.n + 64);
	size_t n = body.n, times = 1 + kit_below(kit, 8);

	memcpy(p, body.p, n);
	for (size_t i = 0; i < times; i++) {
		size_t at = n ? kit_below(kit, n) : 0, length;
		switch (n ? kit_below(kit, 5) : 1) {
		case 0:
			p[at] ^= (char)(1 << kit_below(kit, 8));
			break;
		case 1: /* something between */
			memmove(p + at + 1, p + at, n - at);
			p[at] = odd[kit_below(kit, sizeof(odd))];
			n++;
			break;
		case 2: /* something gone */
			length = 1 + kit_below(kit, n - at < 40 ? n - at : 40);
			memmove(p + at, p + at + length, n - at - length);
			n -= length;
			break;
		case 3:
			p[at] = odd[kit_below(kit, sizeof(odd))];
			break;
		default: /* a part comes from elsewhere */
			length = kit_below(kit, n - at);
			memmove(p + at, p + kit_below(kit, n - length), length);
		}
	}
	return (patchbay_str){ p, n };
}

void test_hostile_mutated(struct kit *kit)
{
	struct bench bench;
	patchbay_request v[SAMPLES_MAX];

	open_hostile(&bench, kit);
	size_t n = list_bodies(&bench, v);
	for (int i = 0; i < MUTATIONS && !(i > 100 && kit_hurries(kit)); i++) {
		struct arena memory = kit->memory; /* what this round needs is given back */
		kit->memory = (struct arena){ 0 };
		kit_what(kit, "a body with random changes, number %d, --seed %llu", i,
			 (unsigned long long)kit->order->seed);
		size_t k = kit_below(kit, n);
		patchbay_request r = bench_with_body(&bench, &v[k], mutate(kit, v[k].body));
		try_request(&bench, &r, (unsigned)kit_below(kit, 2));
		arena_fini(&kit->memory);
		kit->memory = memory;
	}
	bench_close(&bench);
}

static patchbay_str repeated(struct kit *kit, const char *part, size_t times)
{
	size_t n = strlen(part);
	char *p = kit_alloc(kit, n * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(p + i * n, part, n);
	return (patchbay_str){ p, n * times };
}

void test_hostile_odd(struct kit *kit)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"null",
		"true",
		"0",
		"\"\"",
		"{",
		"[",
		"\"",
		"\\",
		" ",
		"{\"\":\"\"}",
		"[[],{},1,\"x\",null]",
		"{\"id\":null,\"type\":null,\"data\":null}",
		"{\"id\":{},\"type\":[],\"action\":{},\"data\":\"x\"}",
		"{\"id\":1e999,\"time\":-1e999,\"created_at\":99999999999999999999999999999999}",
		"{\"id\":-0,\"type\":\"\\u0000\",\"action\":\"\\ud800\"}",
		"{\"id\":\"\xff\xfe\"}",
		"\xef\xbb\xbf{}",
		"{\"id\":1}{\"id\":2}",
		"{\"id\":1,\"id\":2,\"type\":\"a\",\"type\":\"b\"}",
		"id=1&type=x",
		"payload=%7B%7D",
		"payload=%",
		"--x\r\n\r\n--x--",
		"<xml/>",
		"\n\n\n",
		"{\"timestamp\":\"x\",\"token\":1,\"signature\":[]}",
	};
	struct bench bench;
	patchbay_request v[SAMPLES_MAX];

	open_hostile(&bench, kit);
	list_bodies(&bench, v);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		kit_what(kit, "the body %.60s", texts[i]);
		try_body(&bench, &v[0], str_c(texts[i]));
	}
	kit_what(kit, "a body of NULs");
	try_body(&bench, &v[0], (patchbay_str){ kit_alloc(kit, 300), 300 });
	static const char *const parts[] = { "[", "{\"a\":", "[{\"data\":", "{\"", "\"\\\"", "[]," };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		kit_what(kit, "a body of %d times %s", NESTING, parts[i]);
		try_body(&bench, &v[0], repeated(kit, parts[i], NESTING));
	}
	/* A nesting that is complete, and one deeper than any stack, of megabytes. */
	kit_what(kit, "100 nested arrays");
	patchbay_str open = repeated(kit, "[", 100), close = repeated(kit, "]", 100);
	try_body(&bench, &v[0],
		 kit_format(kit, "{\"id\":\"1\",\"type\":\"x\",\"data\":%.*s%.*s}", STR_ARG(open), STR_ARG(close)));
	kit_what(kit, "a million open brackets");
	try_body(&bench, &v[0], repeated(kit, "[", 1000000));
	kit_what(kit, "a million open objects");
	try_body(&bench, &v[0], repeated(kit, "{\"a\":", 1000000));
	kit_what(kit, "a string of a megabyte");
	patchbay_str text = repeated(kit, "long ", 200000);
	try_body(&bench, &v[0],
		 kit_format(kit, "{\"id\":\"%.*s\",\"type\":\"%.*s\",\"action\":\"%.*s\"}", 100000, text.p, 1000,
			    text.p, 300000, text.p));
	bench_close(&bench);
}

/* ---- Headers */

static void must_be_refused(struct bench *bench, const patchbay_request *r)
{
	struct kit *kit = bench->kit;

	for (unsigned flags = 0; flags <= FENCE_AT_START; flags++) {
		struct fence fence;
		patchbay_request *fenced = fence_request(&fence, kit, r, flags);
		(void)bench_verify(&bench->a, fenced);
		fence_fini(&fence);
	}
}

void test_hostile_headers(struct kit *kit)
{
	static const char *const values[] = { "",         " ",
					      "=",        ",",
					      ";",        ":",
					      "sha256=",  "sha1=",
					      "t=",       "t=,v1=",
					      "t=1,v1=",  "v1,",
					      "Bearer",   "Bearer ",
					      "Basic ",   "Basic =",
					      "%",        "%s%n",
					      "-1",       "0",
					      "a",        "99999999999999999999",
					      "\xff\xfe", "\"" };
	struct bench bench;
	patchbay_request v[SAMPLES_MAX], r;

	bench_open(&bench, kit, true);
	list_bodies(&bench, v);
	if (!bench.can_play || bench_sample(&bench, &bench.a, 0, 0, 0, &r, NULL) != PATCHBAY_OK)
		r = v[0];
	for (uint32_t h = 0; h < r.n_headers; h++) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			kit_what(kit, "header %.*s is '%s'", STR_ARG(r.headers[h].key), values[i]);
			patchbay_request changed = wire_with_header(kit, &r, h, str_c(values[i]));
			must_be_refused(&bench, &changed);
		}
		for (size_t n = 0; n <= r.headers[h].value.n && n < 300; n++) {
			kit_what(kit, "header %.*s cut to %zu bytes", STR_ARG(r.headers[h].key), n);
			patchbay_request changed =
				wire_with_header(kit, &r, h, (patchbay_str){ r.headers[h].value.p, n });
			must_be_refused(&bench, &changed);
		}
		kit_what(kit, "header %.*s is 64 KB long", STR_ARG(r.headers[h].key));
		patchbay_request changed = wire_with_header(kit, &r, h, repeated(kit, "a", 65536));
		must_be_refused(&bench, &changed);
	}
	kit_what(kit, "no header at all");
	patchbay_request bare = r;
	bare.n_headers = 0;
	bare.headers = NULL;
	must_be_refused(&bench, &bare);
	kit_what(kit, "an empty request");
	patchbay_request empty = { .size = sizeof(empty),
				   .method = STR(""),
				   .path = STR(""),
				   .query = STR(""),
				   .body = STR(""),
				   .client = STR("") };
	must_be_refused(&bench, &empty);
	bench_close(&bench);
}

/* ---- A call with little memory */

void test_hostile_memory(struct kit *kit)
{
	struct bench bench;
	patchbay_request r, plain, wrong;
	size_t other = 0, tried = 0;

	bench_open(&bench, kit, false);
	bench_pick(&bench, true, &r, &plain);
	bool has_wrong = bench_sample(&bench, &bench.a, 0, 0, PATCHBAY_SIGN_WRONG, &wrong, NULL) == PATCHBAY_OK &&
			 bench_verify(&bench.a, &wrong) < 0;
	struct taken whole;
	taken_init(&whole, &r);
	bench_verify(&bench.a, &r);
	bench_parse(&bench.a, &r, &whole);
	for (size_t limit = 1; limit < (size_t)1 << 20; limit += limit / 7 + 1, tried++) {
		struct taken now;
		bench.a.call.arena.limit = limit;
		kit_what(kit, "the call may use %zu bytes", limit);
		taken_init(&now, &r);
		patchbay_status status = bench_verify(&bench.a, &r);
		if (status == PATCHBAY_OK)
			status = bench_parse(&bench.a, &r, &now);
		other += status == PATCHBAY_OK && now.n && whole.n && !str_eq(now.v[0].key, whole.v[0].key);
		taken_fini(&now);
		if (has_wrong && bench_verify(&bench.a, &wrong) >= 0)
			kit_fail(kit,
				 "when the call's memory is used up (%zu bytes), verify() answers OK to what is signed "
				 "wrongly: alloc() may give NULL, and texts come out empty then; refuse",
				 limit);
	}
	if (other)
		kit_info(kit, "with too little memory (%zu of %zu limits) a key is another; better ENOMEM", other,
			 tried);
	taken_fini(&whole);
	bench_close(&bench);
}

/* ---- Whose memory it is */

void test_request_untouched(struct kit *kit)
{
	struct bench bench;
	patchbay_request v[SAMPLES_MAX];

	bench_open(&bench, kit, true);
	size_t n = list_bodies(&bench, v);
	for (size_t i = 0; i < n; i++) {
		patchbay_request r = bench_with_body(&bench, &v[i], v[i].body);
		kit_what(kit, "request %zu, which is borrowed and must not be written to", i + 1);
		try_request(&bench, &r, FENCE_READ_ONLY);
	}
	bench_close(&bench);
}

/* What is lent for one call, and nobody's afterwards. */
struct lent {
	patchbay_call call;
	struct taken taken;
	patchbay_emitter emitter;
	patchbay_reply reply;
	char behind[256]; /* who writes there is found by request.reply */
};

static void take_once(struct bench *bench, const patchbay_request *r)
{
	struct kit *kit = bench->kit;
	const patchbay_source *source = kit->plugin->source;
	struct lent *lent = mmap(NULL, sizeof(*lent), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (lent == MAP_FAILED)
		kit_fail(kit, "there is no memory for the test");
	call_init(&lent->call, (size_t)34 << 20);
	call_begin(&lent->call, 60000);
	lent->reply = (patchbay_reply){ .size = sizeof(lent->reply) };
	taken_init(&lent->taken, r);
	lent->emitter = taken_emitter(&lent->taken);
	kit_enter(kit, "verify()");
	patchbay_status status = source->verify(bench->a.self, &lent->call, r, &lent->reply);
	kit_leave(kit, "verify()");
	if (status == PATCHBAY_OK) {
		kit_enter(kit, "parse()");
		(void)source->parse(bench->a.self, &lent->call, r, &lent->emitter);
		kit_leave(kit, "parse()");
	}
	taken_fini(&lent->taken);
	call_fini(&lent->call);
	(void)mprotect(lent, sizeof(*lent), PROT_NONE); /* and its place stays taken */
}

void test_request_forgotten(struct kit *kit)
{
	struct bench bench;
	patchbay_request v[SAMPLES_MAX];

	bench_open(&bench, kit, true);
	size_t n = list_bodies(&bench, v);
	struct fence fences[2 * SAMPLES_MAX];
	for (size_t i = 0; i < 2 * n; i++) { /* each finds that the last one is gone */
		patchbay_request r = bench_with_body(&bench, &v[i % n], v[i % n].body);
		patchbay_request *fenced = fence_request(&fences[i], kit, &r, 0);
		kit_what(kit,
			 "request %zu, while the ones before are gone: what was lent for them (request, call, emitter) "
			 "must not be kept",
			 i + 1);
		take_once(&bench, fenced);
		fence_forget(&fences[i]);
	}
	bench_close(&bench);
}

void test_request_reply(struct kit *kit)
{
	struct bench bench;
	patchbay_request v[SAMPLES_MAX];

	bench_open(&bench, kit, true);
	kit->judges_reply = true;
	size_t n = list_bodies(&bench, v);
	for (size_t i = 0; i < n; i++) {
		patchbay_request r = bench_with_body(&bench, &v[i], v[i].body);
		kit_what(kit, "request %zu", i + 1);
		(void)bench_verify(&bench.a, &r);
		kit_what(kit, "request %zu, unsigned", i + 1);
		(void)bench_verify(&bench.a, &v[i]);
	}
	bench_close(&bench);
}
