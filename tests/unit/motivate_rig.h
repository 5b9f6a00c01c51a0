/* motivate_rig.h - for the tests of what the plugin motivate asks its API: loads the plugin, gives it a clock under the
 * test's control, and an HTTP service that plays a script and keeps what it was sent. */
#ifndef TESTS_MOTIVATE_RIG_H
#define TESTS_MOTIVATE_RIG_H

#include "net/http_client.h"
#include "plugin/services.h"
#include "source_harness.h"

#include <patchbay/fetch.h>
#include <patchbay/preview.h>

#include <inttypes.h>

#define API "https://api.example.com/api"
#define TOKEN_OF(n) "tok-" #n "-0123456789abcdef"
#define LOGIN(n)                                                                                                       \
	{                                                                                                              \
		.status = 200, .body = "{\"user\":{\"id\":7},\"access_token\":\"" TOKEN_OF(n) "\"}"                    \
	}
#define START_NS (INT64_C(1772360000) * NS_PER_S_)
#define SENT_MAX 64

struct scripted {   /* one answer */
	int status; /* 0: none, `failure` and `body` as the reason */
	const char *body;
	const char *type; /* Content-Type; NULL: application/json */
	const char *link, *location;
	int retry_after_s;
	patchbay_status failure;
};

struct sent {
	char *line;    /* "POST https://..." */
	char *headers; /* "Name: value\n" each */
	char *body;
};

static struct rig {
	patchbay_host host;
	struct source *side; /* its plugin; no instance of it is used */
	patchbay_call call;
	int64_t now_ns;
	const struct scripted *script;
	size_t n_script, at;
	struct sent sent[SENT_MAX];
	size_t n_sent;
	char log[4096];
	size_t n_log; /* lines */
	patchbay_event events[EVENTS_MAX];
	size_t n_events;
	struct arena kept;
	patchbay_expr *exprs[4];
	size_t n_exprs;
	const patchbay_time_service *time;
} rig;

/* ---- The host that the plugin sees */

static patchbay_http *rig_open(const patchbay_http_options *options)
{
	assert_int_equal(options->size, sizeof(*options));
	return (patchbay_http *)&rig;
}

static void rig_close(patchbay_http *client)
{
	(void)client;
}

static patchbay_str kept(const char *s)
{
	return s ? arena_copy(&rig.call.arena, str_c(s)) : STR("");
}

static void add_header(patchbay_http_answer *answer, patchbay_kv *headers, const char *name, const char *value)
{
	if (value)
		headers[answer->n_headers++] = (patchbay_kv){ kept(name), kept(value) };
}

static patchbay_status rig_send(patchbay_http *client, patchbay_call *call, const patchbay_http_request *r,
				patchbay_http_answer *answer)
{
	const struct scripted *s = &rig.script[rig.at];
	struct buf headers = { 0 };
	patchbay_kv *out = arena_alloc(&call->arena, 3 * sizeof(*out));

	assert_ptr_equal(client, &rig);
	assert_int_equal(r->size, sizeof(*r));
	assert_int_equal(answer->size, sizeof(*answer));
	if (rig.at++ == rig.n_script)
		fail_msg("a request that the script does not have: %.*s %.*s", STR_ARG(r->method), STR_ARG(r->url));
	assert_true(rig.n_sent < SENT_MAX);
	for (uint32_t i = 0; i < r->n_headers; i++) {
		buf_add_str(&headers, r->headers[i].key);
		buf_add(&headers, ": ", 2);
		buf_add_str(&headers, r->headers[i].value);
		buf_add(&headers, "\n", 1);
	}
	rig.sent[rig.n_sent++] = (struct sent){ xasprintf("%.*s %.*s", STR_ARG(r->method), STR_ARG(r->url)),
						xstrndup(headers.p ? headers.p : "", headers.n),
						xstrndup(r->body.p ? r->body.p : "", r->body.n) };
	buf_free(&headers);
	if (s->status == 0) {
		answer->why = kept(s->body);
		return s->failure;
	}
	answer->status = s->status;
	answer->body = kept(s->body);
	answer->retry_after_ms = s->retry_after_s ? s->retry_after_s * 1000 : -1;
	answer->headers = out;
	add_header(answer, out, "content-type", s->type ? s->type : "application/json; charset=utf-8");
	add_header(answer, out, "link", s->link);
	add_header(answer, out, "location", s->location);
	return PATCHBAY_OK;
}

static patchbay_http_service rig_http;

static const void *rig_service(const patchbay_host *host, const char *id)
{
	(void)host;
	return strcmp(id, PATCHBAY_HTTP) == 0 ? (const void *)&rig_http : service_find(id);
}

static void rig_log(const patchbay_host *host, int32_t level, patchbay_str message)
{
	(void)host;
	(void)level;
	snprintf(rig.log, sizeof(rig.log), "%.*s", STR_ARG(message));
	rig.n_log++;
}

static int64_t rig_now_ns(const patchbay_host *host)
{
	(void)host;
	return rig.now_ns;
}

/* ---- Options */

static inline const patchbay_expr *rig_expr(enum expr_form form, const char *text)
{
	return rig.exprs[rig.n_exprs++] = compile(form, text);
}

static void rig_api_options(const patchbay_option *table, uint32_t n, void *options)
{
	*(patchbay_str *)option_in(table, n, options, "api_url") = STR(API "/");
	*(patchbay_str *)option_in(table, n, options, "client_id") = STR("client \"1\"");
	*(patchbay_str *)option_in(table, n, options, "username") = STR("robot");
	*(patchbay_str *)option_in(table, n, options, "secret_key") = STR("s3cr3t-key");
}

/* ---- Life */

static inline int rig_setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.side = source_open("motivate");
	rig.now_ns = START_NS;
	rig.time = service_find(PATCHBAY_TIME);
	source_start(rig.side);
	rig.host = *instance_host(rig.side->instance);
	rig.host.service = rig_service;
	rig.host.log = rig_log;
	rig.host.now_ns = rig_now_ns;
	rig_http = http_service;
	rig_http.open = rig_open;
	rig_http.close = rig_close;
	rig_http.send = rig_send;
	call_init(&rig.call, 64 << 20);
	call_begin(&rig.call, 0);
	return 0;
}

static inline int rig_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < rig.n_sent; i++) {
		free(rig.sent[i].line);
		free(rig.sent[i].headers);
		free(rig.sent[i].body);
	}
	for (size_t i = 0; i < rig.n_exprs; i++)
		expr_free(rig.exprs[i]);
	call_fini(&rig.call);
	arena_fini(&rig.kept);
	source_close(rig.side);
	return 0;
}

/* What will be answered from here on; what is left of an earlier script is a failure. */
static inline void rig_script(const struct scripted *script, size_t n)
{
	assert_int_equal(rig.at, rig.n_script);
	rig.script = script;
	rig.n_script = n;
	rig.at = 0;
}
#define SCRIPT(...)                                                                                                    \
	static const struct scripted script[] = { __VA_ARGS__ };                                                       \
	rig_script(script, sizeof(script) / sizeof(script[0]))

static inline void assert_all_was_asked_for(void)
{
	assert_int_equal(rig.at, rig.n_script);
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' lacks '%s'", text, part);
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' has '%s'", text, part);
}

static inline void assert_str_has(patchbay_str s, const char *part)
{
	char *text = xstrndup(s.p ? s.p : "", s.n);

	assert_has(text, part);
	free(text);
}

static inline struct sent *last_sent(void)
{
	assert_true(rig.n_sent > 0);
	return &rig.sent[rig.n_sent - 1];
}

/* No secret is where it might be logged or kept. */
static inline void assert_nothing_leaks(patchbay_str said)
{
	static const char *const secrets[] = { "s3cr3t-key", "p4ssw0rd", "tok-" };
	char *text = xstrndup(said.p ? said.p : "", said.n);

	for (size_t k = 0; k < sizeof(secrets) / sizeof(secrets[0]); k++) {
		assert_lacks(text, secrets[k]);
		assert_lacks(rig.log, secrets[k]);
		for (size_t i = 0; i < rig.n_sent; i++)
			assert_lacks(rig.sent[i].line, secrets[k]);
	}
	free(text);
}

#endif
