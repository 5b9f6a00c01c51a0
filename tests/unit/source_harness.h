/* source_harness.h - for the tests of source plugins: loads one as the daemon does, fills in options by
 * their names, plays requests, and keeps the events. */
#ifndef TESTS_SOURCE_HARNESS_H
#define TESTS_SOURCE_HARNESS_H

#include "fake_host.h"

#include <patchbay/services.h>
#include <patchbay/simulate.h>

#define EVENTS_MAX 64
#define RECEIVED_NS (INT64_C(1763700000) * NS_PER_S_)
#define NS_PER_S_ INT64_C(1000000000)

struct source {
	struct registry *registry;
	const patchbay_plugin *plugin;
	void *options;
	struct config_secrets secrets; /* their names, where a test gives any */
	struct instance *instance;
	patchbay_call call;
	patchbay_event events[EVENTS_MAX]; /* of the last parse, in `kept` */
	size_t n_events;
	struct arena kept;
};

static inline struct source *source_open(const char *name)
{
	struct source *s = xcalloc(1, sizeof(*s));

	s->plugin = load_plugin(name, &s->registry);
	assert_non_null(s->plugin->source);
	s->options = xcalloc(1, s->plugin->source->options_size);
	call_init(&s->call, 1 << 20);
	call_begin(&s->call, 0);
	return s;
}

static inline void *source_option(struct source *s, const char *name)
{
	const patchbay_source *side = s->plugin->source;

	return option_in(side->options, side->n_options, s->options, name);
}

static inline void source_secrets(struct source *s, const char *name, const patchbay_str *v, size_t n)
{
	*(patchbay_strs *)source_option(s, name) = (patchbay_strs){ v, n };
}

static inline void source_start(struct source *s)
{
	struct err err = { "" };

	s->instance = instance_create(s->plugin, false, "test", s->options, &s->secrets, &err);
	if (!s->instance)
		fail_msg("%s", err.text);
}

/* create() must refuse the options, and say why. */
static inline void source_start_fails(struct source *s, const char *why)
{
	struct err err = { "" };

	assert_null(instance_create(s->plugin, false, "test", s->options, NULL, &err));
	if (!strstr(err.text, why))
		fail_msg("'%s' lacks '%s'", err.text, why);
}

static inline void source_close(struct source *s)
{
	if (s->instance)
		instance_destroy(s->instance);
	registry_destroy(s->registry);
	call_fini(&s->call);
	arena_fini(&s->kept);
	free(s->options);
	free(s);
}

static inline const void *source_service(struct source *s, const char *id)
{
	const patchbay_host *host = instance_host(s->instance);

	return host->service(host, id);
}

static inline patchbay_request source_request(patchbay_str body)
{
	return (patchbay_request){ .size = sizeof(patchbay_request),
				   .method = STR("POST"),
				   .path = STR("/in/test"),
				   .body = body,
				   .received_ns = RECEIVED_NS };
}

static inline patchbay_status source_verify(struct source *s, const patchbay_request *r)
{
	patchbay_reply reply = { .size = sizeof(reply) };
	patchbay_status status;

	call_begin(&s->call, 0);
	status = s->plugin->source->verify(instance_self(s->instance), &s->call, r, &reply);
	assert_true(s->call.why.n > 0); /* whatever it found, it says so */
	return status;
}

static inline void assert_why(struct source *s, const char *part)
{
	char *why = xstrndup(s->call.why.p, s->call.why.n);

	if (!strstr(why, part))
		fail_msg("'%s' lacks '%s'", why, part);
	free(why);
}

static inline patchbay_status source_emit(void *ctx, const patchbay_event *e)
{
	struct source *s = ctx;
	patchbay_event *kept = &s->events[s->n_events];

	if (s->n_events == EVENTS_MAX)
		return PATCHBAY_ENOMEM;
	assert_int_equal(e->size, sizeof(*e));
	*kept = *e;
	kept->type = arena_copy(&s->kept, e->type);
	kept->kind = arena_copy(&s->kept, e->kind);
	kept->subject = arena_copy(&s->kept, e->subject);
	kept->key = arena_copy(&s->kept, e->key);
	kept->token = arena_copy(&s->kept, e->token);
	kept->data = arena_copy(&s->kept, e->data);
	s->n_events++;
	return PATCHBAY_OK;
}

/* Parses with a fresh call; events of an earlier parse are forgotten. */
static inline patchbay_status source_parse(struct source *s, patchbay_str body)
{
	patchbay_request r = source_request(body);
	const patchbay_emitter emitter = { s, source_emit };

	arena_reset(&s->kept);
	s->n_events = 0;
	call_begin(&s->call, 0);
	return s->plugin->source->parse(instance_self(s->instance), &s->call, &r, &emitter);
}

/* The one event of this body. */
static inline const patchbay_event *source_event(struct source *s, patchbay_str body)
{
	assert_int_equal(source_parse(s, body), PATCHBAY_OK);
	assert_int_equal(s->n_events, 1);
	return &s->events[0];
}

static inline const patchbay_simulate *source_simulate(struct source *s)
{
	const patchbay_simulate *simulate = s->plugin->source->extension(PATCHBAY_SIMULATE);

	assert_null(s->plugin->source->extension("patchbay.nothing/1"));
	assert_non_null(simulate);
	return simulate;
}

/* The body of a sample, copied; free it. */
static inline char *source_sample(struct source *s, uint32_t i, uint64_t serial, patchbay_str *ret)
{
	char *copy;

	call_begin(&s->call, 0);
	assert_int_equal(source_simulate(s)->body(instance_self(s->instance), &s->call, i, serial, ret), PATCHBAY_OK);
	copy = xstrndup(ret->p, ret->n);
	ret->p = copy;
	return copy;
}

/* A sample by its name, as documented; lives in the plugin. */
static inline patchbay_str source_sample_named(struct source *s, const char *name)
{
	const patchbay_simulate *simulate = source_simulate(s);
	patchbay_str body = { NULL, 0 };

	for (uint32_t i = 0; i < simulate->n_samples; i++)
		if (strcmp(simulate->samples[i].name, name) == 0)
			assert_int_equal(simulate->body(instance_self(s->instance), &s->call, i, 0, &body),
					 PATCHBAY_OK);
	if (!body.p)
		fail_msg("no sample %s", name);
	return body;
}

static inline void assert_str(patchbay_str got, const char *want)
{
	if (!str_is(got, want))
		fail_msg("'%.*s' is not '%s'", STR_ARG(got), want);
}

/* The text with the first `from` replaced; free it. */
static inline char *replaced(patchbay_str text, const char *from, const char *to)
{
	char *copy = xstrndup(text.p, text.n), *at = strstr(copy, from), *out;

	if (!at)
		fail_msg("'%s' is not in '%s'", from, copy);
	out = xasprintf("%.*s%s%s", (int)(at - copy), copy, to, at + strlen(from));
	free(copy);
	return out;
}

/* An address or network as allow_from holds it; v4 is mapped. */
static inline patchbay_cidr cidr4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint32_t bits)
{
	return (patchbay_cidr){ { [10] = 0xff, 0xff, a, b, c, d }, 96 + bits };
}

/* What the sample files say is what the plugin was built with. */
static inline void assert_is_file(patchbay_str body, const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf buf = { NULL, 0, 0 };

	if (!f)
		fail_msg("cannot open %s", path);
	for (int c; (c = fgetc(f)) != EOF;) {
		char byte = (char)c;
		buf_add(&buf, &byte, 1);
	}
	fclose(f);
	assert_int_equal(buf.n, body.n + 1); /* the file ends in a line feed, the body does not */
	assert_memory_equal(buf.p, body.p, body.n);
	buf_free(&buf);
}

#endif
