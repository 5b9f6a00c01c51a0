/* test_act.c - what a sink does, and above all that it never says OK when it was not done. */
#include "conform/tests.h"

#include "base/clock.h"
#include "conform/deed.h"
#include "conform/elf.h"
#include "conform/fence.h"

#include <string.h>

#define MANY 100
#define CALLS_MAX 300 /* until a batch is decided */
#define LATE_MS 1000

/* ---- Deciding */

/* As the dispatcher does: what was left is handed over again. */
static void decide_all(struct deed *deed, size_t n)
{
	struct kit *kit = deed->kit;
	size_t left = n;

	deed_fill(deed, n);
	for (int calls = 0; left > 0 && calls < CALLS_MAX; calls++) {
		size_t kept = 0, decided = 0;
		deed_act_again(deed, left);
		for (size_t i = 0; i < left; i++) {
			if (deed_forgot(deed, i) && guest_why(&deed->guest).n == 0)
				kit_fail(kit,
					 "act() leaves the result of event %zu of %zu as it came; decide each one "
					 "(UNTOUCHED, if "
					 "it was not attempted), or it is retried for ever, and nobody knows why",
					 i + 1, left);
			if (deed->results[i].status == PATCHBAY_UNTOUCHED)
				deed->batch[kept++] = deed->batch[i];
			else
				decided++;
		}
		if (decided == 0)
			kit_fail(kit,
				 "act() leaves all %zu events untouched while nothing is in its way; attempt at least "
				 "one in a call",
				 left);
		left = kept;
	}
	if (left > 0)
		kit_fail(kit, "after %d calls act() has not decided about %zu of %zu events", CALLS_MAX, left, n);
}

void test_act_decides(struct kit *kit)
{
	static const size_t sizes[] = { 1, 2, 3, MANY };
	bool uses_http;
	struct deed deed;

	process_isolate_network();
	kit->judges_reply = true;
	deed_open(&deed, kit);
	const struct http_answer_fake *good = deed_find_good(&deed, &uses_http);
	http_fake_set(good ? good : &deed_good[0], NULL, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kit_what(kit, "a batch of %zu", sizes[i]);
		decide_all(&deed, sizes[i]);
	}
	kit_what(kit, "a batch in which an event comes twice");
	deed_fill(&deed, 3);
	deed.batch[2] = deed.batch[0];
	deed_act_again(&deed, 3);
	kit_what(kit, "one event");
	size_t ok = deed_act(&deed, 1);
	kit_info(kit, "%s: %s%s%.*s", ok ? "done" : "not done here", kit_status_name(deed.results[0].status),
		 deed.results[0].why.n ? ", " : "", (int)(deed.results[0].why.n < 120 ? deed.results[0].why.n : 120),
		 deed.results[0].why.n ? deed.results[0].why.p : "");
	deed_close(&deed);
}

/* ---- Odd events */

static patchbay_str filled(struct kit *kit, size_t n, const char *with)
{
	char *p = kit_alloc(kit, n + 1);
	size_t m = strlen(with);

	for (size_t i = 0; i < n; i++)
		p[i] = with[i % m];
	return (patchbay_str){ p, n };
}

static patchbay_delivery *fenced_event(struct fence *fence, struct kit *kit, const patchbay_delivery *e, unsigned flags)
{
	patchbay_delivery copy = *e;
	size_t total = e->data.n + e->subject.n + e->type.n + e->kind.n + e->details.n + ((size_t)40 << 12);

	fence_init(fence, kit, 14, total, flags);
	copy.id = fence_put(fence, e->id);
	copy.source = fence_put(fence, e->source);
	copy.plugin = fence_put(fence, e->plugin);
	copy.type = fence_put(fence, e->type);
	copy.kind = fence_put(fence, e->kind);
	copy.subject = fence_put(fence, e->subject);
	copy.data = fence_put(fence, e->data);
	copy.route = fence_put(fence, e->route);
	copy.details = fence_put(fence, e->details);
	copy.details_error = fence_put(fence, e->details_error);
	patchbay_delivery *placed = fence_put_bytes(fence, &copy, sizeof(copy));
	fence_close(fence);
	return placed;
}

static void try_event(struct deed *deed, const patchbay_delivery *e, const char *what)
{
	for (unsigned flags = 0; flags <= FENCE_AT_START; flags++) {
		struct fence fence;
		deed_fill(deed, 3);
		kit_what(deed->kit, "%s; events are borrowed, not to be written to, nor kept", what);
		deed->batch[1] = fenced_event(&fence, deed->kit, e, flags | FENCE_READ_ONLY);
		deed_act_again(deed, 3);
		deed->batch[0] = deed->batch[1]; /* alone, too: some do one event in a call */
		deed_act_again(deed, 1);
		fence_forget(&fence);
	}
}

void test_act_odd(struct kit *kit)
{
	static const char *const texts[] = { "",
					     "\r\nBcc: x@example.org\r\n\r\n",
					     "\n",
					     "\"",
					     "'",
					     "\\",
					     "%s%n%s",
					     "../../x",
					     "/",
					     "=1+1",
					     "<b>&",
					     "\xff\xfe\x80",
					     "\x01\x1b[2J",
					     "a,b\";c",
					     "$(id)",
					     "{}",
					     "null",
					     "\xf0\x9f\x9a\x9a" };
	static const char *const datas[] = { "",
					     "null",
					     "[]",
					     "0",
					     "\"\"",
					     "{",
					     "\xff",
					     "{\"a\":\"\\u0000\"}",
					     "{\"id\":1e999}",
					     "{\"id\":12345678901234567890}" };
	struct deed deed;
	bool uses_http;

	process_isolate_network();
	deed_open(&deed, kit);
	const struct http_answer_fake *good = deed_find_good(&deed, &uses_http);
	http_fake_set(good ? good : &deed_good[0], NULL, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		patchbay_delivery e;
		deed_fill(&deed, 1);
		e = deed.events[0];
		e.type = texts[i][0] ? str_c(texts[i]) : STR("x"); /* a type is never empty */
		e.kind = e.type;
		e.subject = str_c(texts[i]);
		try_event(&deed, &e, kit_format(kit, "type and subject '%s'", texts[i]).p);
		e.source = STR("a");
		e.data = kit_format(kit, "{\"id\":\"%s\",\"name\":\"%s\"}", texts[i], texts[i]);
		try_event(&deed, &e, kit_format(kit, "'%s' in its data", texts[i]).p);
	}
	for (size_t i = 0; i < sizeof(datas) / sizeof(datas[0]); i++) {
		deed_fill(&deed, 1);
		patchbay_delivery e = deed.events[0];
		e.data = str_c(datas[i]);
		try_event(&deed, &e, kit_format(kit, "the data '%s'", datas[i]).p);
	}
	deed_fill(&deed, 1);
	patchbay_delivery e = deed.events[0];
	e.subject = filled(kit, 512, "long ");
	e.type = e.kind = filled(kit, 255, "t");
	e.data = kit_format(kit, "{\"name\":\"%.*s\"}", STR_ARG(filled(kit, 1000000, "long ")));
	try_event(&deed, &e, "an event of a megabyte");
	deed_fill(&deed, 1);
	e = deed.events[0];
	e.time_ns = e.received_ns = INT64_MAX;
	try_event(&deed, &e, "the end of all time");
	e.time_ns = e.received_ns = 0;
	e.attempt = UINT32_MAX;
	e.test = 1;
	e.details = STR("{\"a\":1}");
	e.details_error = STR("none");
	try_event(&deed, &e, "1970");
	deed_close(&deed);
}

/* ---- When there is no time left */

void test_act_deadline(struct kit *kit)
{
	bool uses_http;
	struct deed deed;

	process_isolate_network();
	deed_open(&deed, kit);
	(void)deed_find_good(&deed, &uses_http);
	http_fake_set(&deed_bad[0], NULL, 0);
	for (int left = 0; left <= 20; left += 20) {
		kit->left_ms = left;
		for (size_t n = 1; n <= MANY; n += MANY - 1) {
			kit_what(kit, "%d ms left for %zu events, and nobody answers", left, n);
			int64_t began = clock_steady_ns();
			size_t ok = deed_act(&deed, n);
			int64_t took = (clock_steady_ns() - began) / NS_PER_MS;
			if (took > LATE_MS * (KIT_SANITIZED ? 5 : 1))
				kit_fail(kit,
					 "act() takes %lld ms with %d ms left for %zu events while its destination "
					 "does not answer; ask host->left_ms(), and come back in time",
					 (long long)took, left, n);
			if (ok && uses_http)
				kit_fail(kit, "act() says OK for %zu of %zu events while no request was answered", ok,
					 n);
		}
	}
	kit->left_ms = -1;
	deed_close(&deed);
}

/* ---- HTTP */

/* Where an event can be told by its id in what goes out, an event that is OK must have gone out. */
static void must_have_told(struct deed *deed, const struct http_answer_fake *good)
{
	struct kit *kit = deed->kit;

	http_fake_set(good, NULL, 0);
	if (deed_act(deed, 1) != 1 || !http_fake_said(deed->events[0].id))
		return; /* what it sends does not name the event */
	http_fake_set(good, NULL, 0);
	kit_what(kit, "three events, every request answered %s", good->name);
	deed_act(deed, 3);
	for (size_t i = 0; i < 3; i++)
		if (deed->results[i].status == PATCHBAY_OK && !http_fake_said(deed->events[i].id))
			kit_fail(kit, "act() says OK for event %zu of 3, of which no request tells", i + 1);
}

/* Nobody answers, or asks for patience: that is not the event's fault. */
static void must_not_bury(struct deed *deed, const struct http_answer_fake *bad, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (deed->results[i].status == PATCHBAY_EBADEVENT &&
		    (bad->returns == PATCHBAY_DOWN || bad->status == 503 || bad->status == 429))
			kit_fail(deed->kit,
				 "act() says EBADEVENT when there is %s, so the event becomes a dead letter though "
				 "nothing is wrong with it; say DOWN",
				 bad->name);
}

/* It may wait for longer than the server asks for, or leave it to the host; not for less. */
static void must_wait(struct deed *deed, const struct http_answer_fake *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const patchbay_result *r = &deed->results[i];
		if ((r->status == PATCHBAY_DOWN || r->status == PATCHBAY_RETRY) && r->after_ms &&
		    r->after_ms < bad->retry_after_ms)
			kit_fail(deed->kit,
				 "act() wants to come back after %u ms when the server answers %s; after_ms is in "
				 "milliseconds, as answer.retry_after_ms is",
				 r->after_ms, bad->name);
	}
}

static void try_failure(struct deed *deed, const struct http_answer_fake *bad, const struct http_answer_fake *good,
			unsigned good_first, size_t n)
{
	struct kit *kit = deed->kit;

	http_fake_set(bad, good, good_first);
	kit_what(kit, "%u good answers, then %s, for %zu events", good_first, bad->name, n);
	size_t ok = deed_act(deed, n), allowed = 0;
	if (http_fake_requests() <= good_first)
		return; /* nothing failed */
	must_not_bury(deed, bad, n);
	must_wait(deed, bad, n);
	if (good_first)
		allowed = http_fake_good_answers() < n ? http_fake_good_answers() : n - 1;
	if (ok > allowed || (n == 1 && ok))
		kit_fail(kit,
			 "act() says OK for %zu of %zu events when the answer is %s%s; OK is lost for ever if it was "
			 "not done: look at what send() returns, and at answer.status",
			 ok, n, bad->name, good_first ? " after a good one" : "");
}

void test_act_http(struct kit *kit)
{
	bool uses_http;
	struct deed deed;

	process_isolate_network();
	deed_open(&deed, kit);
	const struct http_answer_fake *good = deed_find_good(&deed, &uses_http);
	if (!uses_http)
		kit_skip(kit, "it makes no request through " PATCHBAY_HTTP);
	if (http_fake_misused())
		kit_fail(
			kit,
			"%s of which it does not say the size, so the host leaves it as it is; set .size = sizeof(...)",
			http_fake_misused());
	for (size_t i = 0; i < deed_n_bad; i++) {
		for (unsigned good_first = 0; good_first <= (good ? 2u : 0u); good_first++) {
			struct deed fresh; /* that knows nothing of answers before */
			deed_open(&fresh, kit);
			try_failure(&fresh, &deed_bad[i], good, good_first, 1);
			deed_close(&fresh);
		}
		try_failure(&deed, &deed_bad[i], good, 0, 1);
		try_failure(&deed, &deed_bad[i], good, 0, 3);
	}
	if (!good) {
		kit_info(kit, "no answer that the kit knows makes it say OK");
	} else {
		struct deed fresh;
		deed_open(&fresh, kit);
		http_fake_set(good, NULL, 0);
		kit_what(kit, "every request answered %s", good->name);
		if (deed_act(&fresh, 1) == 0)
			kit_fail(kit,
				 "act() of a fresh instance does not say OK though every request is answered %s: %s, "
				 "'%.*s'",
				 good->name, kit_status_name(fresh.results[0].status), STR_ARG(fresh.results[0].why));
		if (http_fake_requests() == 0)
			kit_fail(kit, "act() of a fresh instance says OK without a request");
		must_have_told(&fresh, good);
		deed_close(&fresh);
		kit_info(kit, "content with %s", good->name);
	}
	deed_close(&deed);
}

/* ---- A destination that cannot be reached */

void test_act_unreachable(struct kit *kit)
{
	static const char *const connecting[] = { "connect",      "curl_easy_perform", "curl_multi_perform",
						  "getaddrinfo",  "BIO_new_connect",   "sendto",
						  "gethostbyname" };
	struct elf elf;
	struct err err;
	struct deed deed;
	bool connects = false;

	if (elf_read(kit->order->path, &elf, &err) != 0)
		kit_fail(kit, "%s", err.text);
	for (size_t i = 0; i < sizeof(connecting) / sizeof(connecting[0]); i++)
		connects |= elf_imports(&elf, connecting[i]);
	elf_free(&elf);
	if (!connects)
		kit_skip(kit, "it makes no connections by itself");
	if (!process_isolate_network() && !KIT_SANITIZED)
		kit_info(kit, "in the network as it is");
	http_fake_set(&deed_bad[0], NULL, 0);
	deed_open(&deed, kit);
	for (size_t n = 1; n <= 3; n += 2) {
		kit_what(kit, "nobody listens where it connects to, %zu events", n);
		size_t ok = deed_act(&deed, n);
		if (ok)
			kit_fail(kit, "act() says OK for %zu of %zu events while its destination cannot be reached", ok,
				 n);
	}
	kit_info(kit, "%s%s%.*s", kit_status_name(deed.results[0].status), deed.results[0].why.n ? ", " : "",
		 (int)(deed.results[0].why.n < 120 ? deed.results[0].why.n : 120),
		 deed.results[0].why.n ? deed.results[0].why.p : "");
	deed_close(&deed);
}
