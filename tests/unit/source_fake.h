/* source_fake.h - a journal in a temporary folder, and a source whose plugin does what the test says; for the tests of
 * what the host does with sources.
 *
 * A request of it is authentic if its header x-secret is the option's. Each line of its body is an event, CLASS:KEY or
 * CLASS:KEY:REST, where CLASS is key, latest, unanswered, held, or token (then KEY is a one-time token, and the line the
 * key); "none" is no event, and anything else malformed. */
#ifndef TESTS_SOURCE_FAKE_H
#define TESTS_SOURCE_FAKE_H

#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "journal/journal.h"
#include "plugin/generation.h"
#include "plugin/host.h"
#include "temp_dir.h"

#include <patchbay/fetch.h>
#include <patchbay/sugar.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fake_options {
	patchbay_str secret;
	bool lenient; /* understands lines of another class as `key` */
};

static struct fake_script {
	const patchbay_host *host;
	atomic_uint steps, asks, hosts;
	bool unwanted;
	patchbay_status (*poll)(unsigned step, patchbay_call *, patchbay_str cursor, const patchbay_emitter *,
				patchbay_str *ret_cursor, int64_t *ret_again_ms);
	patchbay_status (*enrich)(unsigned ask, patchbay_call *, const patchbay_delivery *, patchbay_str *ret_details);
} fake;

static inline patchbay_status fake_create(const patchbay_host *host, patchbay_call *call, const void *options,
					  void **self)
{
	(void)call;
	fake.host = host;
	atomic_fetch_add(&fake.hosts, 1);
	*self = (void *)(uintptr_t)options;
	return PATCHBAY_OK;
}

static inline void fake_destroy(void *self)
{
	atomic_fetch_sub(&fake.hosts, self != NULL);
}

static inline patchbay_status fake_verify(const void *self, patchbay_call *call, const patchbay_request *in,
					  patchbay_reply *reply)
{
	const struct fake_options *options = self;
	(void)reply;
	for (uint32_t i = 0; i < in->n_headers; i++)
		if (str_is(in->headers[i].key, "x-secret") && str_eq(in->headers[i].value, options->secret)) {
			fake.host->explain(call, STR("the right secret"));
			return PATCHBAY_OK;
		}
	fake.host->explain(call, STR("x-secret is wrong"));
	return PATCHBAY_EDENIED;
}

static inline bool fake_event(patchbay_str line, bool lenient, patchbay_event *event)
{
	static const char *const classes[] = { "key", "latest", "unanswered", "held", "token" };
	static const uint32_t dedupe[] = { PATCHBAY_DEDUPE_KEY, PATCHBAY_DEDUPE_LATEST, PATCHBAY_DEDUPE_UNANSWERED,
					   PATCHBAY_DEDUPE_KEY, PATCHBAY_DEDUPE_KEY };
	const char *colon = memchr(line.p, ':', line.n);
	size_t k = 0;
	*event = (patchbay_event){ .size = sizeof *event, .type = STR("thing"), .data = line };
	if (!colon)
		return false;
	patchbay_str class_ = { line.p, (size_t)(colon - line.p) };
	while (k < 5 && !str_is(class_, classes[k]))
		k++;
	if (k == 5 && !lenient)
		return false;
	event->dedupe = k < 5 ? dedupe[k] : PATCHBAY_DEDUPE_KEY;
	event->flags = k == 3 ? PATCHBAY_EVENT_ENRICH : 0;
	event->key = (patchbay_str){ colon + 1, line.n - class_.n - 1 };
	const char *rest = memchr(event->key.p, ':', event->key.n);
	if (rest)
		event->key.n = (size_t)(rest - event->key.p);
	if (k == 4) {
		event->token = event->key;
		event->key = line;
	}
	return true;
}

static inline patchbay_status fake_parse(const void *self, patchbay_call *call, const patchbay_request *in,
					 const patchbay_emitter *emitter)
{
	const struct fake_options *options = self;
	patchbay_str left = in->body;
	while (left.n && !str_is(in->body, "none")) {
		const char *end = memchr(left.p, '\n', left.n);
		patchbay_str line = { left.p, end ? (size_t)(end - left.p) : left.n };
		patchbay_event event;
		if (!fake_event(line, options->lenient, &event)) {
			fake.host->explain(call, STR("a line of another class"));
			return PATCHBAY_EMALFORMED;
		}
		patchbay_status status = emitter->emit(emitter->ctx, &event);
		if (status != PATCHBAY_OK)
			return status;
		left = (patchbay_str){ left.p + line.n + (end != NULL), left.n - line.n - (end != NULL) };
	}
	return PATCHBAY_OK;
}

static inline bool fake_wanted(const void *self)
{
	(void)self;
	return !fake.unwanted;
}

static inline patchbay_status fake_poll(void *self, patchbay_call *call, patchbay_str cursor,
					const patchbay_emitter *emitter, patchbay_str *ret_cursor,
					int64_t *ret_again_ms)
{
	(void)self;
	return fake.poll(atomic_fetch_add(&fake.steps, 1) + 1, call, cursor, emitter, ret_cursor, ret_again_ms);
}

static inline patchbay_status fake_enrich(void *self, patchbay_call *call, const patchbay_delivery *event,
					  patchbay_str *ret_details)
{
	(void)self;
	return fake.enrich(atomic_fetch_add(&fake.asks, 1) + 1, call, event, ret_details);
}

static inline const void *fake_extension(const char *id)
{
	static const patchbay_poll poll = { .size = sizeof poll, .wanted = fake_wanted, .poll = fake_poll };
	static const patchbay_enrich enrich = { .size = sizeof enrich, .enrich = fake_enrich };
	return strcmp(id, PATCHBAY_POLL) == 0 ? (const void *)&poll : strcmp(id, PATCHBAY_ENRICH) == 0 ? &enrich : NULL;
}

static const patchbay_provider fake_provider = { .size = sizeof fake_provider };
static const patchbay_source fake_source = {
	.size = sizeof fake_source,
	.options_size = sizeof(struct fake_options),
	.provider = &fake_provider,
	.create = fake_create,
	.destroy = fake_destroy,
	.verify = fake_verify,
	.parse = fake_parse,
	.extension = fake_extension,
};
static const patchbay_plugin fake_plugin = { .size = sizeof fake_plugin,
					     .name = "fake",
					     .version = "1",
					     .license = "x",
					     .summary = "x",
					     .source = &fake_source };

/* ---- The journal, and a configuration of two sources */

struct bench {
	char *dir;
	struct journal *journal;
	struct fake_options options;
	char yard[5], dock[5];
	struct config_source sources[2];
	struct config config;
	struct generation generation;
	int64_t dedupe_window_ms;
};

static inline void bench_open(struct bench *b)
{
	struct journal_options options = {
		.path = b->dir,
		.retention_age_ms = INT64_C(365) * 86400000,
		.retention_bytes = 1 << 30,
		.quarantine_bytes = 1 << 28,
		.dedupe_window_ms = b->dedupe_window_ms ? b->dedupe_window_ms : 86400000,
	};
	struct err err = { "" };
	b->journal = journal_open(&options, &err);
	if (!b->journal)
		fail_msg("%s", err.text);
}

static inline void bench_reopen(struct bench *b)
{
	journal_close(b->journal);
	bench_open(b);
}

static inline int bench_setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof *b);
	memset(&fake, 0, sizeof fake);
	b->dir = temp_dir_make();
	b->options.secret = STR("right");
	strcpy(b->yard, "yard");
	strcpy(b->dock, "dock");
	for (size_t i = 0; i < 2; i++)
		b->sources[i] = (struct config_source){ .name = i ? b->dock : b->yard,
							.plugin = &fake_plugin,
							.options = &b->options };
	b->config = (struct config){ .sources = b->sources, .n_sources = 2 };
	b->generation = (struct generation){ .config = &b->config, .refs = 1 };
	bench_open(b);
	*state = b;
	return 0;
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;
	journal_close(b->journal);
	temp_dir_remove(b->dir);
	free(b);
	return 0;
}

/* How many records there are of that kind with that flag (0: any); the data of the last in `last`, if that is given. */
static inline unsigned bench_count(struct bench *b, uint8_t kind, uint8_t flag, char last[64])
{
	struct journal_reader *reader = journal_reader_open(b->journal);
	struct journal_pos pos = journal_start(b->journal);
	struct journal_record record;
	struct err err;
	unsigned n = 0;
	while (journal_read(reader, &pos, &record, NULL, &err) == 1) {
		if (record.kind != kind || (flag && !(record.flags & flag)))
			continue;
		n++;
		if (last)
			snprintf(last, 64, "%.*s", STR_ARG(record.data));
	}
	journal_reader_close(reader);
	return n;
}

/* Asks again and again, for 20 s at most. */
#define UNTIL(condition)                                                                                               \
	do {                                                                                                           \
		int64_t until_ns_ = clock_steady_ns() + 20 * NS_PER_S;                                                 \
		while (!(condition)) {                                                                                 \
			if (clock_steady_ns() > until_ns_)                                                             \
				fail_msg("not within 20 s: %s", #condition);                                           \
			usleep(2000);                                                                                  \
		}                                                                                                      \
	} while (0)

#endif
