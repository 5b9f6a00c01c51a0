/* The sink and the client under it: logins, tokens, requests, and what answers mean. */
#include "motivate_rig.h"

static struct {
	void *options, *self;
} sink;

#define DATA                                                                                                           \
	"{\"user\":\"a/b ?#\\u00e9%\",\"title\":\"Fire \\\"safety\\\"\",\"id\":1234567890123456789,\"none\":null,"     \
	"\"up\":\"..\",\"over\":\"1/../../admin\",\"back\":\"..\\\\admin\",\"empty\":\"\"}"

static patchbay_delivery event(void)
{
	return (patchbay_delivery){ .size = sizeof(patchbay_delivery),
				    .attempt = 1,
				    .id = STR("0195f2a0-0000-7000-8000-000000000001"),
				    .source = STR("campus"),
				    .plugin = STR("lms"),
				    .type = STR("course_completed"),
				    .kind = STR("course_completed"),
				    .subject = STR("user 1"),
				    .data = STR(DATA),
				    .time_ns = START_NS,
				    .received_ns = START_NS };
}

static const patchbay_sink *side(void)
{
	return rig.side->plugin->sink;
}

static void *option(const char *name)
{
	return option_in(side()->options, side()->n_options, sink.options, name);
}

static int setup(void **state)
{
	rig_setup(state);
	sink.options = xcalloc(1, side()->options_size);
	sink.self = NULL;
	rig_api_options(side()->options, side()->n_options, sink.options);
	*(const patchbay_expr **)option("path") = rig_expr(EXPR_TEXT, "/users/\\(.data.user)/awards?by=\\(.source)");
	*(const patchbay_expr **)option("body") = rig_expr(EXPR_PROGRAM, "{title: .data.title}");
	return 0;
}

static int teardown(void **state)
{
	side()->destroy(sink.self);
	free(sink.options);
	return rig_teardown(state);
}

static patchbay_result act(void)
{
	patchbay_delivery e = event();
	const patchbay_delivery *list[] = { &e };
	patchbay_result result = { .status = PATCHBAY_RETRY };
	patchbay_str checkpoint = { "", 0 };

	if (!sink.self)
		assert_int_equal(side()->create(&rig.host, &rig.call, sink.options, &sink.self), PATCHBAY_OK);
	call_begin(&rig.call, 0);
	side()->act(sink.self, &rig.call, list, 1, &result, &checkpoint);
	if (result.why.n == 0)
		result.why = rig.call.why; /* as the host does */
	assert_nothing_leaks(result.why);
	return result;
}

static void logs_in_once_and_calls_the_api(void **state)
{
	SCRIPT(LOGIN(1), { .status = 201, .location = API "/users/7/awards/9" }, { .status = 204 });
	patchbay_result result = act();
	(void)state;

	assert_int_equal(result.status, PATCHBAY_OK);
	assert_str(result.why, "Location: " API "/users/7/awards/9");
	assert_string_equal(rig.sent[0].line, "POST " API "/oauth2/authorize");
	assert_string_equal(rig.sent[0].body, "{\"grant_type\":\"password\",\"client_id\":\"client \\\"1\\\"\","
					      "\"username\":\"robot\",\"password\":\"s3cr3t-key\"}");
	assert_has(rig.sent[0].headers, "Content-Type: application/json\n");
	assert_lacks(rig.sent[0].headers, "Authorization");
	assert_string_equal(rig.sent[1].line, "POST " API "/users/a%2Fb%20%3F%23%C3%A9%25/awards?by=campus");
	assert_string_equal(rig.sent[1].body, "{\"title\":\"Fire \\\"safety\\\"\"}");
	assert_has(rig.sent[1].headers, "Authorization: Bearer " TOKEN_OF(1) "\n");
	assert_has(rig.sent[1].headers, "Content-Type: application/json\n");
	assert_has(rig.sent[1].headers, "Idempotency-Key: 0195f2a0-0000-7000-8000-000000000001\n");
	assert_int_equal(act().status, PATCHBAY_OK); /* with the same token */
	assert_int_equal(rig.n_sent, 3);
}

static void the_password_and_a_form_are_sent_where_asked_for(void **state)
{
	*(patchbay_str *)option("password") = STR("p4ssw0rd&");
	SCRIPT(LOGIN(1), { .status = 200 }, LOGIN(2), { .status = 200 });
	(void)state;

	act();
	assert_has(rig.sent[0].body, "\"password\":\"p4ssw0rd&|s3cr3t-key\"");
	side()->destroy(sink.self);
	sink.self = NULL;
	*(int64_t *)option("login") = 1;
	act();
	assert_string_equal(rig.sent[2].body, "grant_type=password&client_id=client%20%221%22&username=robot&"
					      "password=p4ssw0rd%26%7Cs3cr3t-key");
	assert_has(rig.sent[2].headers, "Content-Type: application/x-www-form-urlencoded\n");
}

static void a_token_is_renewed_before_it_ends(void **state)
{
	SCRIPT(LOGIN(1), { .status = 200 }, { .status = 200 }, LOGIN(2), { .status = 200 });
	(void)state;

	act();
	rig.now_ns += INT64_C(6899) * NS_PER_S_;
	act();
	assert_has(last_sent()->headers, TOKEN_OF(1));
	rig.now_ns += 2 * NS_PER_S_;
	act();
	assert_has(last_sent()->headers, TOKEN_OF(2));
}

static void a_shorter_life_is_believed_a_longer_one_is_not(void **state)
{
	SCRIPT({ .status = 200, .body = "{\"access_token\":\"tok-a\",\"expires_in\":240}" }, { .status = 200 },
	       { .status = 200, .body = "{\"access_token\":\"tok-b\",\"expires_in\":\"999999\"}" }, { .status = 200 },
	       LOGIN(3), { .status = 200 });
	(void)state;

	act();
	rig.now_ns += INT64_C(231) * NS_PER_S_;
	act();
	rig.now_ns += INT64_C(6901) * NS_PER_S_;
	act();
	assert_all_was_asked_for();
}

static void one_401_renews_the_token_and_repeats_the_request(void **state)
{
	SCRIPT(LOGIN(1), { .status = 200 }, { .status = 401, .body = "{\"Message\":\"expired\"}" }, LOGIN(2),
	       { .status = 200 });
	(void)state;

	act();
	assert_int_equal(act().status, PATCHBAY_OK);
	assert_has(last_sent()->headers, TOKEN_OF(2));
	assert_string_equal(rig.sent[2].body, rig.sent[4].body);
	assert_all_was_asked_for();
}

static void a_second_401_is_for_a_person(void **state)
{
	SCRIPT(LOGIN(1), { .status = 401 }, LOGIN(2), { .status = 401, .body = "{\"Message\":\"no access\"}" },
	       LOGIN(3), { .status = 200 });
	patchbay_result result = act();
	(void)state;

	assert_int_equal(result.status, PATCHBAY_EBADSINK);
	assert_str_has(result.why, "401: no access, to a token that it had given out a moment before");
	assert_int_equal(act().status, PATCHBAY_OK); /* begins anew */
}

static void answers_are_told_apart(void **state)
{
	static const struct {
		struct scripted answer;
		patchbay_status status;
		uint32_t after_ms;
		const char *why;
	} cases[] = {
		{ { .status = 400, .body = "{\"Message\":\"no such course\"}" },
		  PATCHBAY_EBADEVENT,
		  0,
		  "Motivate Cloud answered 400: no such course" },
		{ { .status = 404, .body = "<html>gone</html>", .type = "text/html" },
		  PATCHBAY_EBADEVENT,
		  0,
		  "Motivate Cloud answered 404" },
		{ { .status = 409 }, PATCHBAY_EBADEVENT, 0, "409" },
		{ { .status = 422, .body = "{\"message\":\"a\\u0000b\\r\\n\\tc\"}" },
		  PATCHBAY_EBADEVENT,
		  0,
		  "422: a b   c" },
		{ { .status = 403, .body = "{\"Message\":\"role\"}" },
		  PATCHBAY_EBADSINK,
		  0,
		  "403: role; give the user" },
		{ { .status = 302, .location = "https://evil.example/" },
		  PATCHBAY_EBADSINK,
		  0,
		  "redirects are not followed" },
		{ { .status = 408 }, PATCHBAY_DOWN, 0, "408" },
		{ { .status = 429, .retry_after_s = 17 }, PATCHBAY_DOWN, 17000, "429" },
		{ { .status = 500, .body = "{\"Message\":\"oops\"}" }, PATCHBAY_DOWN, 0, "500: oops" },
		{ { .status = 503, .retry_after_s = 3 }, PATCHBAY_DOWN, 3000, "503" },
		{ { .status = 400, .body = "{\"Message\":\"bad key s3cr3t-key\"}" },
		  PATCHBAY_EBADEVENT,
		  0,
		  "repeats a secret" },
		{ { .status = 400, .body = "{\"Message\":\"token " TOKEN_OF(1) "\"}" },
		  PATCHBAY_EBADEVENT,
		  0,
		  "repeats a secret" },
		{ { .failure = PATCHBAY_DOWN, .body = "api.example.com:443: connection refused" },
		  PATCHBAY_DOWN,
		  0,
		  "connection refused" },
		{ { .failure = PATCHBAY_EBADSINK, .body = "api.example.com:443: certificate" },
		  PATCHBAY_EBADSINK,
		  0,
		  "certificate" },
	};
	(void)state;

	SCRIPT(LOGIN(1), { .status = 200 });
	act();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_script(&cases[i].answer, 1);
		patchbay_result result = act();
		assert_int_equal(result.status, cases[i].status);
		assert_int_equal(result.after_ms, cases[i].after_ms);
		assert_str_has(result.why, cases[i].why);
	}
}

static void what_the_api_says_is_cut_at_a_character(void **state)
{
	char body[2000] = "{\"Message\":\"x";
	struct scripted answer = { .status = 400, .body = body };
	patchbay_result result;
	(void)state;

	for (size_t i = 0; i < 400; i++)
		strcat(body, "\xc3\xa9");
	strcat(body, "\"}");
	SCRIPT(LOGIN(1), { .status = 200 });
	act();
	rig_script(&answer, 1);
	result = act();
	assert_true(result.why.n < 360);
	assert_str_has(result.why, "\xc3\xa9...");
}

static void a_failed_login_says_what_to_compare(void **state)
{
	static const struct {
		struct scripted answer;
		patchbay_status status;
		uint32_t after_ms;
		const char *why;
	} cases[] = {
		{ { .status = 401, .body = "{\"Message\":\"wrong\"}" },
		  PATCHBAY_EBADSINK,
		  0,
		  "401: wrong; compare client_id" },
		{ { .status = 400, .body = "{\"error\":\"invalid_grant\"}" },
		  PATCHBAY_EBADSINK,
		  0,
		  "400: invalid_grant; compare" },
		{ { .status = 400, .body = "{\"Message\":\"s3cr3t-key is wrong\"}" },
		  PATCHBAY_EBADSINK,
		  0,
		  "repeats a secret" },
		{ { .status = 404 }, PATCHBAY_EBADSINK, 0, "is api_url the address" },
		{ { .status = 302 }, PATCHBAY_EBADSINK, 0, "is api_url the address" },
		{ { .status = 429, .retry_after_s = 5 }, PATCHBAY_DOWN, 5000, "429" },
		{ { .status = 502 }, PATCHBAY_DOWN, 0, "502" },
		{ { .status = 200, .body = "{}" }, PATCHBAY_DOWN, 0, "gave no token" },
		{ { .status = 200, .body = "<html>" }, PATCHBAY_DOWN, 0, "gave no token" },
		{ { .status = 200, .body = "{\"access_token\":\"a\\r\\nb\"}" }, PATCHBAY_DOWN, 0, "gave no token" },
		{ { .status = 200, .body = "{\"access_token\":17}" }, PATCHBAY_DOWN, 0, "gave no token" },
		{ { .failure = PATCHBAY_DOWN, .body = "no route" }, PATCHBAY_DOWN, 0, "no route" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_script(&cases[i].answer, 1);
		patchbay_result result = act();
		assert_int_equal(result.status, cases[i].status);
		assert_int_equal(result.after_ms, cases[i].after_ms);
		assert_str_has(result.why, cases[i].why);
		assert_int_equal(rig.n_sent, i + 1); /* nothing but the login */
	}
}

static void a_path_that_would_lead_elsewhere_is_not_sent(void **state)
{
	static const struct {
		const char *path;
		patchbay_status status;
		const char *why;
	} cases[] = {
		{ "/users/\\(.data.none)/awards", PATCHBAY_EBADEVENT, "null or empty" },
		{ "/users/\\(.data.missing)", PATCHBAY_EBADEVENT, "null or empty" },
		{ "/users/\\(.data.empty)", PATCHBAY_EBADEVENT, "null or empty" },
		{ "/users/\\(.data.up)/admin", PATCHBAY_EBADEVENT, "lead elsewhere" },
		{ "/users/\\(.data.up)", PATCHBAY_EBADEVENT, "lead elsewhere" },
		{ "/users/\\(.data.over)", PATCHBAY_EBADEVENT, "lead elsewhere" },
		{ "/users/\\(.data.back)?all=1", PATCHBAY_EBADEVENT, "lead elsewhere" },
		{ "/users/%2e\\(\".\")/x", PATCHBAY_EBADEVENT, "lead elsewhere" },
		{ "users", PATCHBAY_ECONFIG, "must begin with '/'" },
		{ "//evil.example/x", PATCHBAY_ECONFIG, "must not begin with '//'" },
		{ "/a b", PATCHBAY_ECONFIG, "percent-encoded" },
		{ "/a#b", PATCHBAY_ECONFIG, "'#'" },
		{ "/\\(.data.title | tonumber)", PATCHBAY_EBADEVENT, "tonumber" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig.n_exprs = 2;
		*(const patchbay_expr **)option("path") = rig_expr(EXPR_TEXT, cases[i].path);
		patchbay_result result = act();
		assert_int_equal(result.status, cases[i].status);
		assert_str_has(result.why, cases[i].why);
		expr_free(rig.exprs[2]);
	}
	rig.n_exprs = 2;
	assert_int_equal(rig.n_sent, 0);
}

static void the_body_is_json_whatever_the_expression_gives(void **state)
{
	static const struct {
		const char *body, *sent;
	} cases[] = {
		{ ".data.id", "1234567890123456789" },
		{ ".data", DATA },
		{ ".data.title", "\"Fire \\\"safety\\\"\"" },
		{ "[.data.id > 5, null]", "[true,null]" },
		{ "{}", "{}" },
		{ "false", "false" },
		{ ".data.none", NULL },
	};
	(void)state;

	SCRIPT(LOGIN(1), { .status = 200 }, { .status = 200 }, { .status = 200 }, { .status = 200 }, { .status = 200 },
	       { .status = 200 });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig.n_exprs = 2;
		*(const patchbay_expr **)option("body") = rig_expr(EXPR_PROGRAM, cases[i].body);
		patchbay_result result = act();
		assert_int_equal(result.status, cases[i].sent ? PATCHBAY_OK : PATCHBAY_EBADEVENT);
		if (cases[i].sent)
			assert_string_equal(last_sent()->body, cases[i].sent);
		else
			assert_str_has(result.why, "null");
		expr_free(rig.exprs[2]);
	}
	rig.n_exprs = 2;
	assert_all_was_asked_for();
}

static void of_many_events_one_is_sent_in_a_call(void **state)
{
	patchbay_delivery e = event();
	const patchbay_delivery *list[] = { &e, &e, &e };
	patchbay_result results[3] = { { 0 } };
	patchbay_str checkpoint = { "", 0 };
	(void)state;

	SCRIPT(LOGIN(1), { .status = 200 });
	assert_int_equal(side()->create(&rig.host, &rig.call, sink.options, &sink.self), PATCHBAY_OK);
	side()->act(sink.self, &rig.call, list, 3, results, &checkpoint);
	assert_int_equal(results[0].status, PATCHBAY_OK);
	assert_int_equal(results[1].status, PATCHBAY_UNTOUCHED);
	assert_int_equal(results[2].status, PATCHBAY_UNTOUCHED);
	assert_int_equal(checkpoint.n, 0);
}

static void a_preview_shows_the_request(void **state)
{
	const patchbay_preview *preview = side()->extension(PATCHBAY_PREVIEW);
	patchbay_delivery e = event();
	const patchbay_delivery *list[] = { &e };
	patchbay_str out;
	(void)state;

	*(int64_t *)option("method") = 1;
	assert_null(side()->extension("patchbay.nothing/1"));
	assert_int_equal(side()->create(&rig.host, &rig.call, sink.options, &sink.self), PATCHBAY_OK);
	assert_int_equal(preview->preview(sink.self, &rig.call, list, 1, &out), PATCHBAY_OK);
	assert_str(out, "{\"method\":\"PUT\",\"path\":\"/users/a%2Fb%20%3F%23%C3%A9%25/awards?by=campus\","
			"\"body\":{\"title\":\"Fire \\\"safety\\\"\"}}");
	assert_int_equal(rig.n_sent, 0);
}

static void wrong_options_are_refused_before_anything_is_sent(void **state)
{
	static const struct {
		const char *option, *value, *why;
	} cases[] = {
		{ "client_id", "", "'client_id' is missing" },
		{ "username", "", "'username' is missing" },
		{ "secret_key", "", "'secret_key' is missing" },
		{ "api_url", "ftp://x/", "" },
		{ "api_url", "http://api.example.com/api", "" },
		{ "api_url", "https://api.example.com/api?x=1", "'api_url' must be a server and at most a path" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		patchbay_str *field = option(cases[i].option), was = *field;
		*field = str_c(cases[i].value);
		call_begin(&rig.call, 0);
		assert_int_equal(side()->check(&rig.host, &rig.call, sink.options), PATCHBAY_ECONFIG);
		assert_true(rig.call.why.n > 0);
		assert_str_has(rig.call.why, cases[i].why);
		assert_int_equal(side()->create(&rig.host, &rig.call, sink.options, &sink.self), PATCHBAY_ECONFIG);
		assert_null(sink.self);
		*field = was;
	}
	call_begin(&rig.call, 0);
	assert_int_equal(side()->check(&rig.host, &rig.call, sink.options), PATCHBAY_OK);
	assert_int_equal(rig.call.why.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(logs_in_once_and_calls_the_api, setup, teardown),
		cmocka_unit_test_setup_teardown(the_password_and_a_form_are_sent_where_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_token_is_renewed_before_it_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(a_shorter_life_is_believed_a_longer_one_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(one_401_renews_the_token_and_repeats_the_request, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_401_is_for_a_person, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_api_says_is_cut_at_a_character, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_login_says_what_to_compare, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_that_would_lead_elsewhere_is_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(the_body_is_json_whatever_the_expression_gives, setup, teardown),
		cmocka_unit_test_setup_teardown(of_many_events_one_is_sent_in_a_call, setup, teardown),
		cmocka_unit_test_setup_teardown(a_preview_shows_the_request, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_options_are_refused_before_anything_is_sent, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
