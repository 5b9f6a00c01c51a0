/* The http plugin: what it sends, that its signature is the published one, and what answers mean. */
#include "fake_host.h"
#include "net/http_client.h"
#include "plugin/services.h"

#include <patchbay/preview.h>

#define URL "https://hooks.example.com/in/very-secret"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_SECRET "c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="
/* The test vector of the Standard Webhooks libraries. */
#define MSG_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SENT "1614265330"
#define SENT_NS (INT64_C(1614265330) * 1000000000)
#define BODY "{\"test\": 2432232314}"
#define V1 "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct rig {
	patchbay_host host;
	struct registry *registry;
	const patchbay_plugin *plugin;
	void *options;
	void *self;
	patchbay_call call;
	int64_t now_ns;
	/* what the receiver answers */
	patchbay_status sent;
	int32_t status;
	int64_t retry_after_ms;
	uint32_t maybe_sent;
	/* what it got */
	unsigned posts;
	char headers[16384], body[16384];
	char why[1024];
} rig;

/* ---- The host that the plugin sees */

static patchbay_http *fake_open(const patchbay_http_options *options)
{
	assert_int_equal(options->size, sizeof(*options));
	return (patchbay_http *)(void *)&rig;
}

static void fake_close(patchbay_http *http)
{
	assert_ptr_equal(http, &rig);
}

static patchbay_status fake_send(patchbay_http *http, patchbay_call *call, const patchbay_http_request *r,
				 patchbay_http_answer *answer)
{
	size_t n = 0;

	(void)http, (void)call;
	rig.posts++;
	assert_true(str_is(r->method, "POST"));
	assert_true(str_is(r->url, URL));
	for (uint32_t i = 0; i < r->n_headers; i++)
		n += (size_t)snprintf(rig.headers + n, sizeof(rig.headers) - n, "%.*s: %.*s\n",
				      STR_ARG(r->headers[i].key), STR_ARG(r->headers[i].value));
	snprintf(rig.body, sizeof(rig.body), "%.*s", STR_ARG(r->body));
	assert_int_equal(strlen(rig.body), r->body.n);
	answer->status = rig.sent == PATCHBAY_OK ? rig.status : 0;
	answer->retry_after_ms = rig.retry_after_ms;
	answer->maybe_sent = rig.maybe_sent;
	answer->why = rig.sent == PATCHBAY_OK ? STR("") : STR("hooks.example.com:443 is gone");
	return rig.sent;
}

static const void *rig_service(const patchbay_host *host, const char *id)
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

static int64_t rig_now(const patchbay_host *host)
{
	(void)host;
	return rig.now_ns;
}

/* ---- The rig */

static void *option(const char *name)
{
	return sink_option(rig.plugin, rig.options, name);
}

static void set_secrets(const patchbay_str *v, size_t n)
{
	*(patchbay_strs *)option("secret") = (patchbay_strs){ v, n };
}

static void set_headers(const patchbay_kv *v, size_t n) /* as the plugin's struct has them: a name and a value */
{
	*(patchbay_list *)option("headers") = (patchbay_list){ v, n };
}

static void set_binary(bool binary)
{
	*(int64_t *)option("mode") = binary;
}

static patchbay_status try_start(void)
{
	patchbay_status status;

	if (rig.self)
		rig.plugin->sink->destroy(rig.self);
	rig.self = NULL;
	call_begin(&rig.call, 0);
	status = rig.plugin->sink->create(&rig.host, &rig.call, rig.options, &rig.self);
	snprintf(rig.why, sizeof(rig.why), "%.*s", STR_ARG(rig.call.why));
	return status;
}

static void start(void)
{
	if (try_start() != PATCHBAY_OK)
		fail_msg("%s", rig.why);
}

static int setup(void **state)
{
	static const patchbay_str secret[] = { { SECRET, sizeof(SECRET) - 1 } };

	(void)state;
	rig = (struct rig){ .now_ns = SENT_NS, .status = 204, .retry_after_ms = -1 };
	rig.plugin = load_plugin("http", &rig.registry);
	rig.host = (patchbay_host){ .size = sizeof(rig.host),
				    .service = rig_service,
				    .explain = fake_explain,
				    .alloc = fake_alloc,
				    .now_ns = rig_now };
	rig.options = xcalloc(1, rig.plugin->sink->options_size);
	call_init(&rig.call, 16 << 20);
	*(patchbay_str *)option("url") = STR(URL);
	set_secrets(secret, 1);
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig.plugin->sink->destroy(rig.self);
	free(rig.options);
	call_fini(&rig.call);
	registry_destroy(rig.registry);
	return 0;
}

static patchbay_delivery event(const char *data)
{
	return (patchbay_delivery){ .size = sizeof(patchbay_delivery),
				    .attempt = 1,
				    .id = STR("01998a30-0000-7000-8000-000000000001"),
				    .source = STR("fleet"),
				    .plugin = STR("motive"),
				    .type = STR("hard_brake"),
				    .kind = STR("brake"),
				    .subject = STR("vehicle 7"),
				    .data = str_c(data),
				    .time_ns = NOON_NS,
				    .received_ns = NOON_NS,
				    .route = STR("routes.yaml:41") };
}

static void act(const patchbay_delivery *events, size_t n, patchbay_result *results)
{
	const patchbay_delivery *list[4];
	patchbay_str checkpoint = { "", 0 };

	for (size_t i = 0; i < n; i++) {
		list[i] = &events[i];
		results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, STR("") };
	}
	call_begin(&rig.call, 0);
	rig.plugin->sink->act(rig.self, &rig.call, list, n, results, &checkpoint);
	assert_int_equal(checkpoint.n, 0);
	snprintf(rig.why, sizeof(rig.why), "%.*s", STR_ARG(results[0].why));
	assert_null(strstr(rig.why, "very-secret"));
}

static patchbay_result act_one(patchbay_delivery e)
{
	patchbay_result result;

	act(&e, 1, &result);
	return result;
}

static void assert_sent_header(const char *line)
{
	char *whole = xasprintf("\n%s\n", line), *all = xasprintf("\n%s", rig.headers);

	if (!strstr(all, whole))
		fail_msg("'%s' is not among\n%s", line, rig.headers);
	free(whole);
	free(all);
}

/* ---- What it sends */

#define STRUCTURED                                                                                                     \
	"{\"specversion\":\"1.0\",\"id\":\"01998a30-0000-7000-8000-000000000001\",\"source\":\"patchbay:/fleet\","     \
	"\"type\":\"hard_brake\",\"subject\":\"vehicle 7\",\"time\":\"2025-11-22T12:00:00Z\",\"kind\":\"brake\","      \
	"\"dedupe\":\"strong\",\"datacontenttype\":\"application/json\",\"data\":"

static void structured_is_one_json_object(void **state)
{
	/* byte for byte: spaces, order, and numbers that no double holds */
	const char *data = "{ \"b\": 12345678901234567890, \"a\": 1.50 ,\"c\":\"\\u00e4\"}";

	(void)state;
	assert_int_equal(act_one(event(data)).status, PATCHBAY_OK);
	char *wanted = xasprintf("%s%s}", STRUCTURED, data);
	assert_string_equal(rig.body, wanted);
	free(wanted);
	assert_sent_header("content-type: application/cloudevents+json; charset=UTF-8");
	assert_sent_header("webhook-id: 01998a30-0000-7000-8000-000000000001");
	assert_sent_header("webhook-timestamp: " SENT);
	assert_null(strstr(rig.headers, "ce-"));
	assert_string_equal(rig.why, "");
}

static void binary_is_the_data_with_headers(void **state)
{
	(void)state;
	set_binary(true);
	start();
	assert_int_equal(act_one(event("{ \"a\": 1 }")).status, PATCHBAY_OK);
	assert_string_equal(rig.body, "{ \"a\": 1 }");
	const char wanted[] = "ce-specversion: 1.0\n"
			      "ce-id: 01998a30-0000-7000-8000-000000000001\n"
			      "ce-source: patchbay:/fleet\n"
			      "ce-type: hard_brake\n"
			      "ce-subject: vehicle%207\n"
			      "ce-time: 2025-11-22T12:00:00Z\n"
			      "ce-kind: brake\n"
			      "ce-dedupe: strong\n"
			      "content-type: application/json\n"
			      "webhook-id: ";
	assert_memory_equal(rig.headers, wanted, strlen(wanted));
	assert_null(strstr(rig.headers, "datacontenttype"));
}

static void attributes_are_safe_in_headers_and_in_json(void **state)
{
	static const struct {
		const char *subject, *header, *json;
	} cases[] = {
		{ "Euro \xe2\x82\xac \xf0\x9f\x98\x80", "Euro%20%E2%82%AC%20%F0%9F%98%80",
		  "Euro \xe2\x82\xac \xf0\x9f\x98\x80" }, /* the binding's own example */
		{ "100% \"sure\"\\", "100%25%20%22sure%22\\", "100% \\\"sure\\\"\\\\" },
		{ "a\r\nX-Evil: 1", "a%0D%0AX-Evil:%201", "a\\u000d\\u000aX-Evil: 1" },
		{ "cut \xe2\x82", "cut%20%EF%BF%BD%EF%BF%BD", "cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "\x7f", "%7F", "\x7f" },
	};
	patchbay_delivery e = event("{}");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *header = xasprintf("ce-subject: %s", cases[i].header);
		char *json = xasprintf("\"subject\":\"%s\",", cases[i].json);
		e.subject = str_c(cases[i].subject);
		set_binary(true);
		start();
		act_one(e);
		assert_sent_header(header);
		set_binary(false);
		start();
		act_one(e);
		if (!strstr(rig.body, json))
			fail_msg("'%s' is not in %s", json, rig.body);
		free(header);
		free(json);
	}
}

static void attributes_that_say_nothing_are_left_out(void **state)
{
	patchbay_delivery e = event("[1]");

	(void)state;
	e.subject = STR("");
	e.dedupe = PATCHBAY_WEAK;
	e.test = 1;
	act_one(e);
	assert_null(strstr(rig.body, "subject"));
	assert_non_null(strstr(rig.body, "\"dedupe\":\"weak\",\"test\":\"true\","));
	e.dedupe = PATCHBAY_NONE;
	act_one(e);
	assert_non_null(strstr(rig.body, "\"dedupe\":\"none\""));
}

static void what_is_not_json_travels_as_text(void **state)
{
	(void)state;
	act_one(event("[fault_code_closed]")); /* a test call may be anything */
	assert_non_null(strstr(rig.body, "\"datacontenttype\":\"text/plain\",\"data\":\"[fault_code_closed]\"}"));
	set_binary(true);
	start();
	act_one(event("[fault_code_closed]"));
	assert_string_equal(rig.body, "[fault_code_closed]");
	assert_sent_header("content-type: text/plain");
}

static void the_signature_is_the_published_one(void **state)
{
	static const patchbay_str both[] = { { OTHER_SECRET, sizeof(OTHER_SECRET) - 1 },
					     { SECRET, sizeof(SECRET) - 1 } };
	patchbay_delivery e = event(BODY);
	char *first, *at;

	(void)state;
	e.id = STR(MSG_ID);
	set_binary(true);
	start();
	act_one(e);
	assert_sent_header("webhook-signature: " V1);

	set_secrets(both, 2); /* all sign: the receiver may know one or the other */
	start();
	act_one(e);
	at = strstr(rig.headers, "webhook-signature: ");
	assert_non_null(at);
	first = at + strlen("webhook-signature: ");
	assert_memory_equal(first, "v1,", 3);
	assert_memory_equal(first + 3 + 44, " " V1 "\n", 1 + strlen(V1) + 1);
	assert_memory_not_equal(first, V1, strlen(V1));

	set_secrets(NULL, 0);
	start();
	act_one(e);
	assert_null(strstr(rig.headers, "webhook-signature"));
	assert_sent_header("webhook-id: " MSG_ID);
}

static void every_try_is_signed_anew_under_the_same_id(void **state)
{
	char first[sizeof(rig.headers)];

	(void)state;
	act_one(event("{}"));
	memcpy(first, rig.headers, sizeof(first));
	rig.now_ns += INT64_C(3600) * 1000000000;
	act_one(event("{}"));
	assert_sent_header("webhook-id: 01998a30-0000-7000-8000-000000000001");
	assert_sent_header("webhook-timestamp: 1614268930");
	assert_string_not_equal(strstr(first, "webhook-signature"), strstr(rig.headers, "webhook-signature"));
}

static void configured_headers_are_added(void **state)
{
	static const patchbay_kv headers[] = { { { "Authorization", 13 }, { "Bearer very-secret", 18 } },
					       { { "X-Empty", 7 }, { "", 0 } } };

	(void)state;
	set_headers(headers, 2);
	start();
	rig.status = 401;
	act_one(event("{}")); /* whose sentence is looked at */
	assert_sent_header("Authorization: Bearer very-secret");
	assert_sent_header("X-Empty: ");
}

static void one_event_a_call(void **state)
{
	patchbay_delivery events[] = { event("{\"n\":1}"), event("{\"n\":2}"), event("{\"n\":3}") };
	patchbay_result results[3];

	(void)state;
	act(events, 3, results);
	assert_int_equal(rig.posts, 1);
	assert_non_null(strstr(rig.body, "{\"n\":1}"));
	assert_int_equal(results[0].status, PATCHBAY_OK);
	assert_int_equal(results[1].status, PATCHBAY_UNTOUCHED);
	assert_int_equal(results[2].status, PATCHBAY_UNTOUCHED);
}

static void a_preview_is_the_event_with_nothing_sent(void **state)
{
	const patchbay_preview *preview = rig.plugin->sink->extension(PATCHBAY_PREVIEW);
	patchbay_delivery e = event("{\"a\":1}");
	const patchbay_delivery *list[] = { &e };

	(void)state;
	assert_null(rig.plugin->sink->extension("patchbay.nothing/1"));
	for (int binary = 0; binary < 2; binary++) {
		patchbay_str out;
		set_binary(binary);
		start();
		call_begin(&rig.call, 0);
		assert_int_equal(preview->preview(rig.self, &rig.call, list, 1, &out), PATCHBAY_OK);
		assert_true(str_is(out, STRUCTURED "{\"a\":1}}"));
	}
	assert_int_equal(rig.posts, 0);
}

/* ---- What answers mean */

static void answers(void **state)
{
	static const struct {
		int32_t http;
		patchbay_status wanted;
		const char *why;
	} cases[] = {
		{ 200, PATCHBAY_OK, "" },
		{ 201, PATCHBAY_OK, "" },
		{ 202, PATCHBAY_OK, "" },
		{ 204, PATCHBAY_OK, "" },
		{ 299, PATCHBAY_OK, "" },
		{ 101, PATCHBAY_EBADSINK, "no answer to a POST" },
		{ 301, PATCHBAY_EBADSINK, "redirects are not followed" },
		{ 308, PATCHBAY_EBADSINK, "redirects are not followed" },
		{ 400, PATCHBAY_EBADEVENT, "does not take this event" },
		{ 401, PATCHBAY_EBADSINK, "compare 'secret' and 'headers'" },
		{ 403, PATCHBAY_EBADSINK, "compare 'secret' and 'headers'" },
		{ 404, PATCHBAY_EBADSINK, "compare 'url'" },
		{ 405, PATCHBAY_EBADSINK, "compare 'url'" },
		{ 407, PATCHBAY_EBADSINK, "a proxy" },
		{ 408, PATCHBAY_DOWN, "now" },
		{ 409, PATCHBAY_EBADEVENT, "does not take this event" },
		{ 410, PATCHBAY_EBADSINK, "wants no more events" },
		{ 413, PATCHBAY_EBADEVENT, "does not take this event" },
		{ 415, PATCHBAY_EBADSINK, "the other 'mode'" },
		{ 422, PATCHBAY_EBADEVENT, "does not take this event" },
		{ 425, PATCHBAY_DOWN, "now" },
		{ 429, PATCHBAY_DOWN, "a lower 'rate'" },
		{ 500, PATCHBAY_DOWN, "now" },
		{ 502, PATCHBAY_DOWN, "now" },
		{ 503, PATCHBAY_DOWN, "now" },
		{ 504, PATCHBAY_DOWN, "now" },
		{ 999, PATCHBAY_EBADSINK, "no answer to a POST" },
		{ 0, PATCHBAY_EBADSINK, "no answer to a POST" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig.status = cases[i].http;
		patchbay_result result = act_one(event("{}"));
		if (result.status != cases[i].wanted || !strstr(rig.why, cases[i].why))
			fail_msg("%d: %d, wanted %d: '%s'", (int)cases[i].http, (int)result.status,
				 (int)cases[i].wanted, rig.why);
		if (result.status != PATCHBAY_OK)
			assert_memory_equal(rig.why, "the receiver answered ", 22);
	}
}

static void retry_after_counts_where_it_is_only_for_now(void **state)
{
	(void)state;
	rig.retry_after_ms = 30000;
	rig.status = 503;
	assert_int_equal(act_one(event("{}")).after_ms, 30000);
	rig.status = 429;
	assert_int_equal(act_one(event("{}")).after_ms, 30000);
	rig.status = 404;
	assert_int_equal(act_one(event("{}")).after_ms, 0);
	rig.status = 503;
	rig.retry_after_ms = INT64_C(1) << 40;
	assert_int_equal(act_one(event("{}")).after_ms, UINT32_MAX);
	rig.retry_after_ms = -1;
	assert_int_equal(act_one(event("{}")).after_ms, 0);
}

static void no_answer(void **state)
{
	(void)state;
	rig.sent = PATCHBAY_DOWN;
	assert_int_equal(act_one(event("{}")).status, PATCHBAY_DOWN);
	assert_string_equal(rig.why, "hooks.example.com:443 is gone");
	rig.maybe_sent = 1;
	assert_int_equal(act_one(event("{}")).status, PATCHBAY_DOWN);
	assert_non_null(strstr(rig.why, "gone; the receiver may have it all the same"));
	rig.sent = PATCHBAY_EBADSINK;
	assert_int_equal(act_one(event("{}")).status, PATCHBAY_EBADSINK);
}

static void a_call_without_memory_is_tried_again(void **state)
{
	patchbay_delivery e = event("{}");
	const patchbay_delivery *list[] = { &e };
	patchbay_call small;
	patchbay_str checkpoint = { "", 0 };

	(void)state;
	for (int binary = 0; binary < 2; binary++) {
		set_binary(binary);
		start();
		rig.posts = 0;
		for (size_t bytes = 16; rig.posts == 0; bytes += 16) { /* wherever it runs out */
			patchbay_result result = { PATCHBAY_OK, 0, STR("") };
			call_init(&small, bytes);
			call_begin(&small, 0);
			rig.plugin->sink->act(rig.self, &small, list, 1, &result, &checkpoint);
			assert_int_equal(result.status, rig.posts ? PATCHBAY_OK : PATCHBAY_RETRY);
			call_fini(&small);
		}
		assert_sent_header("webhook-timestamp: " SENT);
		assert_non_null(strstr(rig.headers, "webhook-signature: v1,"));
		assert_sent_header(binary ? "ce-time: 2025-11-22T12:00:00Z"
					  : "content-type: application/cloudevents+json; "
					    "charset=UTF-8");
		if (!binary)
			assert_string_equal(rig.body, STRUCTURED "{}}");
	}
}

/* ---- Options */

static void headers_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *name, *value, *why;
	} cases[] = {
		{ "Content-Type", "x", "set by this sink" },
		{ "content-length", "0", "set by this sink" },
		{ "Transfer-Encoding", "chunked", "set by this sink" },
		{ "HOST", "x", "set by this sink" },
		{ "Webhook-Id", "x", "set by this sink" },
		{ "ce-type", "x", "set by this sink" },
		{ "", "x", "has no name" },
		{ "X Y", "x", "other characters" },
		{ "X:", "x", "other characters" },
		{ "X\r\nY", "x", "other characters" },
		{ "X", "a\r\nhunter2: b", "a line break" },
		{ "X", "a\nhunter2", "a line break" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const patchbay_kv headers[] = { { { "X-Good", 6 }, { "x", 1 } },
						{ str_c(cases[i].name), str_c(cases[i].value) } };
		set_headers(headers, 2);
		assert_int_equal(try_start(), PATCHBAY_ECONFIG);
		if (!strstr(rig.why, cases[i].why) || !strstr(rig.why, "number 2 of 'headers'"))
			fail_msg("'%s' lacks '%s'", rig.why, cases[i].why);
		assert_null(strstr(rig.why, "hunter2"));
	}
}

static void urls_and_secrets_are_checked(void **state)
{
	static const patchbay_str bad[] = { { "whsec_hunter2", 13 } };
	const patchbay_sink *sink = rig.plugin->sink;

	(void)state;
	call_begin(&rig.call, 0);
	assert_int_equal(sink->check(&rig.host, &rig.call, rig.options), PATCHBAY_OK);
	assert_int_equal(rig.call.why.n, 0);
	set_secrets(NULL, 0);
	call_begin(&rig.call, 0);
	assert_int_equal(sink->check(&rig.host, &rig.call, rig.options), PATCHBAY_OK);
	assert_true(rig.call.why.n > 0); /* a warning */
	set_secrets(bad, 1);
	assert_int_equal(try_start(), PATCHBAY_ECONFIG);
	assert_non_null(strstr(rig.why, "'secret' is not base64"));
	assert_null(strstr(rig.why, "hunter2"));
	set_secrets(NULL, 0);
	*(patchbay_str *)option("url") = STR("http://hooks.example.com/very-secret");
	assert_int_equal(try_start(), PATCHBAY_ECONFIG);
	assert_non_null(strstr(rig.why, "https://"));
	assert_null(strstr(rig.why, "very-secret"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(structured_is_one_json_object),
		TEST(binary_is_the_data_with_headers),
		TEST(attributes_are_safe_in_headers_and_in_json),
		TEST(attributes_that_say_nothing_are_left_out),
		TEST(what_is_not_json_travels_as_text),
		TEST(the_signature_is_the_published_one),
		TEST(every_try_is_signed_anew_under_the_same_id),
		TEST(configured_headers_are_added),
		TEST(one_event_a_call),
		TEST(a_preview_is_the_event_with_nothing_sent),
		TEST(answers),
		TEST(retry_after_counts_where_it_is_only_for_now),
		TEST(no_answer),
		TEST(a_call_without_memory_is_tried_again),
		TEST(headers_that_cannot_be_are_refused),
		TEST(urls_and_secrets_are_checked),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
