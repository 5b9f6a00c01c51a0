/* Details of FTP jobs: which events wait for them, for how long, and what they look like. */
#include "motivate_rig.h"

#define JOB(data)                                                                                                      \
	"{\"event_type\":\"x\",\"message_id\":\"m\",\"event_data\":{\"ftp_log_id\":90144,\"row_count\":9" data "}}"

static struct {
	void *options, *self, *enrich;
} fetch;

static const patchbay_source *side(void)
{
	return rig.side->plugin->source;
}

static void *option(const char *name)
{
	return option_in(side()->options, side()->n_options, fetch.options, name);
}

static int setup(void **state)
{
	const patchbay_option *map;

	rig_setup(state);
	memset(&fetch, 0, sizeof(fetch));
	fetch.options = xcalloc(1, side()->options_size);
	rig_api_options(side()->options, side()->n_options, fetch.options);
	map = find_option(side()->options, side()->n_options, "enrich");
	fetch.enrich = xcalloc(1, map->fields_size);
	*(const void **)option("enrich") = fetch.enrich;
	*(const patchbay_expr **)option_in(map->fields, map->n_fields, fetch.enrich, "path") =
		rig_expr(EXPR_TEXT, "/ftplogs/\\(.data.event_data.ftp_log_id)/errors");
	*(int64_t *)option_in(map->fields, map->n_fields, fetch.enrich, "within") = 60000;
	assert_int_equal(side()->create(&rig.host, &rig.call, fetch.options, &fetch.self), PATCHBAY_OK);
	return 0;
}

static int teardown(void **state)
{
	side()->destroy(fetch.self);
	free(fetch.options);
	free(fetch.enrich);
	return rig_teardown(state);
}

static patchbay_status enrich(const char *data, patchbay_str *ret)
{
	const patchbay_enrich *ability = side()->extension(PATCHBAY_ENRICH);
	patchbay_delivery event = { .size = sizeof(event),
				    .id = STR("i"),
				    .source = STR("learning"),
				    .data = str_c(data),
				    .received_ns = START_NS };
	patchbay_status status;

	*ret = STR("");
	call_begin(&rig.call, 0);
	status = ability->enrich(fetch.self, &rig.call, &event, ret);
	assert_true(status == PATCHBAY_OK || rig.call.why.n > 0);
	assert_nothing_leaks(rig.call.why);
	return status;
}

static patchbay_status count(void *ctx, const patchbay_event *e)
{
	*(uint32_t *)ctx = e->flags & ~(uint32_t)PATCHBAY_EVENT_TYPE_GUESSED;
	return PATCHBAY_OK;
}

static void only_jobs_that_went_wrong_wait_for_details(void **state)
{
	static const struct {
		const char *body;
		uint32_t flags;
	} cases[] = {
		{ JOB(",\"status\":\"Success\",\"error_count\":2"), PATCHBAY_EVENT_ENRICH },
		{ JOB(",\"status\":\"Success\",\"error_count\":\"10\""), PATCHBAY_EVENT_ENRICH },
		{ JOB(",\"status\":\"Error\",\"error_count\":0"), PATCHBAY_EVENT_ENRICH },
		{ JOB(",\"status\":\"Success\",\"error_count\":0"), 0 },
		{ JOB(",\"status\":\"Success\",\"error_count\":null"), 0 },
		{ JOB(""), 0 },
		{ "{\"event_data\":{\"course_id\":1,\"error_count\":2}}", 0 },
		{ "{\"is_test_message\":true,\"event_data\":{\"ftp_log_id\":1,\"error_count\":2}}",
		  PATCHBAY_EVENT_TEST },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		patchbay_request r = source_request(str_c(cases[i].body));
		uint32_t flags = 99;
		const patchbay_emitter emitter = { &flags, count };
		call_begin(&rig.call, 0);
		assert_int_equal(side()->parse(fetch.self, &rig.call, &r, &emitter), PATCHBAY_OK);
		assert_int_equal(flags, cases[i].flags);
	}
	/* and none where no details are configured */
	assert_int_equal(source_event(rig.side, STR(JOB(",\"error_count\":2")))->flags, 0);
}

static void details_are_what_the_api_answers(void **state)
{
	SCRIPT(LOGIN(1), { .status = 200, .body = "{\"job\":1, \"rows\":[1]}" },
	       { .status = 200, .type = "text/csv", .body = "row,error\n3,no such user\n" },
	       { .status = 200, .body = "{\"data\":[{\"row\":3}, 2],\"meta\":{\"page_num\":1,\"page_count\":2}}" },
	       { .status = 200, .body = "{\"data\":[{\"row\":7}],\"meta\":{\"page_num\":2,\"page_count\":2}}" },
	       { .status = 200, .body = "[]" });
	patchbay_str details;
	(void)state;

	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_OK);
	assert_string_equal(last_sent()->line, "GET " API "/ftplogs/90144/errors?page_size=100&pageSize=100");
	assert_str(details, "{\"job\":1, \"rows\":[1]}");
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_OK);
	assert_str(details, "[{\"row\":\"3\",\"error\":\"no such user\"}]");
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_OK);
	assert_str(details, "[{\"row\":3},2,{\"row\":7}]");
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_OK);
	assert_str(details, "[]");
}

static void of_endless_pages_the_first_ten_are_taken(void **state)
{
	static const struct scripted page = { .status = 200,
					      .body = "{\"data\":[1],\"meta\":{\"page_num\":1,\"page_count\":99}}" };
	struct scripted answers[] = { LOGIN(1), page, page, page, page, page, page, page, page, page, page };
	patchbay_str details;
	(void)state;

	rig_script(answers, 11);
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_OK);
	assert_str(details, "[1,1,1,1,1,1,1,1,1,1]");
	assert_has(rig.log, "only the first 10 rows were taken");
	assert_all_was_asked_for();
}

static void what_may_still_come_is_waited_for_as_long_as_configured(void **state)
{
	SCRIPT(LOGIN(1), { .status = 503, .body = "{\"Message\":\"busy\"}" }, { .status = 404 },
	       { .failure = PATCHBAY_DOWN, .body = "no connection" }, { .status = 429, .retry_after_s = 30 },
	       { .status = 503, .body = "{\"Message\":\"busy\"}" }, { .status = 200, .body = "{}" });
	patchbay_str details;
	(void)state;

	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_RETRY);
	rig.now_ns += 20 * NS_PER_S_;
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_RETRY);
	rig.now_ns += 20 * NS_PER_S_;
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_RETRY);
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_EBADEVENT); /* 40 s gone, 30 more to wait */
	rig.now_ns += 20 * NS_PER_S_;
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_EBADEVENT);
	assert_str(rig.call.why, "no details within 60 s: Motivate Cloud answered 503: busy");
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_OK); /* asked once in any case */
}

static void what_will_not_come_is_not_waited_for(void **state)
{
	SCRIPT(LOGIN(1), { .status = 400, .body = "{\"Message\":\"no such log\"}" }, { .status = 403 },
	       { .status = 401 }, LOGIN(2), { .status = 401 }, { .status = 401, .body = "{\"Message\":\"locked\"}" });
	patchbay_str details;
	(void)state;

	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_EBADEVENT);
	assert_str(rig.call.why, "no details: Motivate Cloud answered 400: no such log");
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_EBADEVENT);
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_EBADEVENT);
	assert_int_equal(enrich(JOB(""), &details), PATCHBAY_EBADEVENT);
	assert_str_has(rig.call.why, "the login failed: Motivate Cloud answered 401: locked");
	assert_int_equal(enrich("{\"event_data\":{}}", &details), PATCHBAY_EBADEVENT);
	assert_str_has(rig.call.why, "null or empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_jobs_that_went_wrong_wait_for_details, setup, teardown),
		cmocka_unit_test_setup_teardown(details_are_what_the_api_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(of_endless_pages_the_first_ten_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_still_come_is_waited_for_as_long_as_configured, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_will_not_come_is_not_waited_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
