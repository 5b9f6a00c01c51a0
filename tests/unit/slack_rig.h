/* slack_rig.h - for the tests of slack: the real plugin with a Slack that answers what the test wants, and shows what
 * it was sent. */
#ifndef TESTS_SLACK_RIG_H
#define TESTS_SLACK_RIG_H

#include "base/json.h"
#include "fake_host.h"
#include "net/http_client.h"
#include "plugin/services.h"

#include <patchbay/preview.h>

#define MINUTE_NS (INT64_C(60) * 1000000000)
#define WEBHOOK "https://hooks.example.com/services/T0/B0/very-secret"
#define TOKEN "xoxb-very-secret"
#define TEXT "Hard brake: \\(.data.where)"

struct rig {
	patchbay_host host; /* the first member: the host's functions get the rig */
	struct registry *registry;
	const patchbay_plugin *plugin;
	void *options;
	void *self;
	patchbay_call call, reading;
	/* what Slack answers */
	patchbay_status sent;
	int32_t status;
	int64_t retry_after_ms;
	uint32_t maybe_sent;
	const char *answer;
	/* what it got */
	unsigned posts;
	char url[256], authorization[256], body[32768];
	char log[1024];
	char why[2048];
};

static struct rig *the_rig; /* the HTTP service has no other way to it */

/* ---- The host */

static inline patchbay_http *fake_open(const patchbay_http_options *options)
{
	(void)options;
	return (patchbay_http *)(void *)the_rig;
}

static inline void fake_close(patchbay_http *http)
{
	(void)http;
}

static inline void keep(char *to, size_t room, patchbay_str s)
{
	assert_true(s.n < room);
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static inline patchbay_status fake_send(patchbay_http *http, patchbay_call *call, const patchbay_http_request *r,
					patchbay_http_answer *answer)
{
	struct rig *rig = (struct rig *)(void *)http;
	(void)call;

	rig->posts++;
	rig->authorization[0] = '\0';
	assert_true(str_is(r->method, "POST"));
	keep(rig->url, sizeof(rig->url), r->url);
	keep(rig->body, sizeof(rig->body), r->body);
	assert_true(str_is(r->headers[0].value, "application/json; charset=utf-8"));
	if (r->n_headers > 1)
		keep(rig->authorization, sizeof(rig->authorization), r->headers[1].value);
	answer->retry_after_ms = rig->retry_after_ms;
	answer->maybe_sent = rig->maybe_sent;
	answer->body = str_c(rig->answer);
	answer->status = rig->sent == PATCHBAY_OK ? rig->status : 0;
	answer->why = rig->sent == PATCHBAY_OK ? STR("") : STR("hooks.example.com:443 is gone");
	return rig->sent;
}

static inline const void *rig_service(const patchbay_host *host, const char *id)
{
	static patchbay_http_service fake;
	(void)host;
	if (strcmp(id, PATCHBAY_HTTP) != 0)
		return service_find(id);
	fake = http_service;
	fake.open = fake_open;
	fake.close = fake_close;
	fake.send = fake_send;
	return &fake;
}

static inline void rig_log(const patchbay_host *host, int32_t level, patchbay_str line)
{
	struct rig *rig = (struct rig *)(uintptr_t)host;
	snprintf(rig->log, sizeof(rig->log), "%d %.*s", (int)level, STR_ARG(line));
}

static inline int64_t rig_now(const patchbay_host *host)
{
	(void)host;
	return NOON_NS + 2 * 60 * MINUTE_NS;
}

/* ---- The rig */

static inline void *option(struct rig *rig, const char *name)
{
	return sink_option(rig->plugin, rig->options, name);
}

static inline void set(struct rig *rig, const char *name, const char *value)
{
	*(patchbay_str *)option(rig, name) = str_c(value);
}

static inline void set_text(struct rig *rig, const char *name, const char *text)
{
	patchbay_expr **at = option(rig, name);
	expr_free(*at);
	*at = text ? compile(EXPR_TEXT, text) : NULL;
}

static inline void slack_says(struct rig *rig, int32_t status, const char *answer)
{
	rig->sent = PATCHBAY_OK;
	rig->status = status;
	rig->answer = answer;
	rig->retry_after_ms = -1;
	rig->maybe_sent = 0;
}

static inline void start(struct rig *rig)
{
	if (rig->self)
		rig->plugin->sink->destroy(rig->self);
	call_begin(&rig->call, 0);
	if (rig->plugin->sink->create(&rig->host, &rig->call, rig->options, &rig->self) != PATCHBAY_OK)
		fail_msg("%.*s", STR_ARG(rig->call.why));
}

static inline struct rig *rig_open(void)
{
	struct rig *rig = the_rig = xcalloc(1, sizeof(*rig));

	rig->plugin = load_plugin("slack", &rig->registry);
	rig->host = (patchbay_host){ .size = sizeof(rig->host),
				     .service = rig_service,
				     .log = rig_log,
				     .explain = fake_explain,
				     .alloc = fake_alloc,
				     .now_ns = rig_now };
	rig->options = xcalloc(1, rig->plugin->sink->options_size);
	call_init(&rig->call, 64 << 20);
	call_init(&rig->reading, 64 << 20);
	set(rig, "webhook_url", WEBHOOK);
	set(rig, "api_url", "https://slack.example.com/api/");
	set_text(rig, "text", TEXT);
	*(int64_t *)option(rig, "digest") = 10;
	slack_says(rig, 200, "ok");
	start(rig);
	return rig;
}

static inline void use_token(struct rig *rig)
{
	set(rig, "webhook_url", "");
	set(rig, "token", TOKEN);
	set(rig, "channel", "#safety");
	start(rig);
}

static inline void rig_close(struct rig *rig)
{
	rig->plugin->sink->destroy(rig->self);
	set_text(rig, "text", NULL);
	set_text(rig, "blocks", NULL);
	free(rig->options);
	call_fini(&rig->call);
	call_fini(&rig->reading);
	registry_destroy(rig->registry);
	free(rig);
}

#define ID "01998a30-0000-7000-8000-%012zu"

static inline void make_event(patchbay_delivery *event, size_t i, const char *data)
{
	static char ids[256][37];

	snprintf(ids[i], sizeof(ids[i]), ID, i);
	*event = (patchbay_delivery){ .size = sizeof(*event),
				      .attempt = 1,
				      .id = str_c(ids[i]),
				      .source = STR("fleet"),
				      .plugin = STR("motive"),
				      .type = STR("hard_brake"),
				      .kind = STR("hard_brake"),
				      .data = str_c(data),
				      .time_ns = NOON_NS,
				      .received_ns = NOON_NS,
				      .route = STR("routes.yaml:41") };
}

static inline void act(struct rig *rig, const patchbay_delivery *events, size_t n, patchbay_result *results)
{
	const patchbay_delivery **list = xcalloc(n, sizeof(*list));
	patchbay_str checkpoint = { "", 0 };

	for (size_t i = 0; i < n; i++) {
		list[i] = &events[i];
		results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, STR("") };
	}
	call_begin(&rig->call, 0);
	rig->plugin->sink->act(rig->self, &rig->call, list, n, results, &checkpoint);
	assert_int_equal(checkpoint.n, 0);
	for (size_t i = n; i-- > 0;) {
		patchbay_str why = results[i].why.n ? results[i].why : rig->call.why;
		keep(rig->why, sizeof(rig->why), why);
		assert_null(strstr(rig->why, "very-secret"));
	}
	free(list);
}

static inline patchbay_result act_one(struct rig *rig, const char *data)
{
	patchbay_delivery event;
	patchbay_result result;

	make_event(&event, 0, data);
	act(rig, &event, 1, &result);
	return result;
}

/* A value of what was posted, decoded. */
static inline char *posted(struct rig *rig, const char *path)
{
	static char text[32768];
	call_begin(&rig->reading, 0);
	const patchbay_json *root = json_service.parse(&rig->reading, str_c(rig->body));
	if (!root)
		fail_msg("not JSON: %.*s: %s", STR_ARG(rig->reading.why), rig->body);
	keep(text, sizeof(text), json_service.text(&rig->reading, json_service.find(&rig->reading, root, path, false)));
	return text;
}

static inline uint32_t posted_count(struct rig *rig, const char *path)
{
	call_begin(&rig->reading, 0);
	const patchbay_json *root = json_service.parse(&rig->reading, str_c(rig->body));
	return json_service.count(json_service.find(&rig->reading, root, path, false));
}

static inline char *repeat(const char *prefix, const char *what, size_t n, const char *suffix)
{
	char *text = xcalloc(1, strlen(prefix) + n * strlen(what) + strlen(suffix) + 1), *at = stpcpy(text, prefix);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, what);
	strcpy(at, suffix);
	return text;
}

#endif
