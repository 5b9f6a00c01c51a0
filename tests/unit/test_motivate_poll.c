/* Polling: pages, items, places, and schedules. Each step is one call, as the host makes it. */
#include "motivate_rig.h"

#define US "\x1f"
#define MS_PER_MIN INT64_C(60000)
#define MINUTES(n) ((n)*MS_PER_MIN)

static struct {
	void *options, *self, *polls;
	struct buf cursor; /* the last one that a step gave, as the host would keep it */
	int64_t again_ms;
	size_t limit; /* so many events are taken in a step */
} fetch;

static const patchbay_source *side(void)
{
	return rig.side->plugin->source;
}

static void *option(const char *name)
{
	return option_in(side()->options, side()->n_options, fetch.options, name);
}

static void *poll_option(size_t i, const char *name)
{
	const patchbay_option *list = find_option(side()->options, side()->n_options, "poll");

	return option_in(list->fields, list->n_fields, (char *)fetch.polls + i * list->fields_size, name);
}

static void set_polls(size_t n)
{
	const patchbay_option *list = find_option(side()->options, side()->n_options, "poll");

	free(fetch.polls);
	fetch.polls = xcalloc(n, list->fields_size);
	*(patchbay_list *)option("poll") = (patchbay_list){ fetch.polls, n };
	for (size_t i = 0; i < n; i++) {
		*(patchbay_str *)poll_option(i, "path") = i == 0 ? STR("/users") : STR("/badges?all=1");
		*(patchbay_str *)poll_option(i, "id") = STR("id");
		*(int64_t *)poll_option(i, "every") = MINUTES(15);
		*(int64_t *)poll_option(i, "page_size") = 2;
	}
}

static int setup(void **state)
{
	rig_setup(state);
	memset(&fetch, 0, sizeof(fetch));
	fetch.limit = EVENTS_MAX;
	fetch.options = xcalloc(1, side()->options_size);
	rig_api_options(side()->options, side()->n_options, fetch.options);
	set_polls(1);
	return 0;
}

static void stop(void)
{
	side()->destroy(fetch.self);
	fetch.self = NULL;
}

static int teardown(void **state)
{
	stop();
	free(fetch.options);
	free(fetch.polls);
	buf_free(&fetch.cursor);
	return rig_teardown(state);
}

static patchbay_status emit(void *ctx, const patchbay_event *e)
{
	patchbay_event *kept_event = &rig.events[rig.n_events];
	(void)ctx;

	if (rig.n_events == fetch.limit)
		return PATCHBAY_ENOMEM;
	*kept_event = *e;
	kept_event->type = arena_copy(&rig.kept, e->type);
	kept_event->kind = arena_copy(&rig.kept, e->kind);
	kept_event->subject = arena_copy(&rig.kept, e->subject);
	kept_event->key = arena_copy(&rig.kept, e->key);
	kept_event->data = arena_copy(&rig.kept, e->data);
	rig.n_events++;
	return PATCHBAY_OK;
}

/* Keeps the cursor as the host does: only of a step that is OK. */
static patchbay_status step(void)
{
	const patchbay_poll *poll = side()->extension(PATCHBAY_POLL);
	const patchbay_emitter emitter = { NULL, emit };
	patchbay_str next = { "", 0 };
	patchbay_status status;

	if (!fetch.self && side()->create(&rig.host, &rig.call, fetch.options, &fetch.self) != PATCHBAY_OK)
		fail_msg("%.*s", STR_ARG(rig.call.why));
	assert_true(poll->wanted(fetch.self));
	arena_reset(&rig.kept);
	rig.n_events = 0;
	fetch.again_ms = 0;
	call_begin(&rig.call, 0);
	status = poll->poll(fetch.self, &rig.call, buf_str(&fetch.cursor), &emitter, &next, &fetch.again_ms);
	assert_true(status == PATCHBAY_OK || rig.call.why.n > 0);
	assert_true(next.n <= 65536);
	if (status == PATCHBAY_OK && next.n > 0) {
		fetch.cursor.n = 0;
		buf_add_str(&fetch.cursor, next);
	}
	assert_nothing_leaks(rig.call.why);
	assert_nothing_leaks(buf_str(&fetch.cursor));
	return status;
}

static void assert_events(size_t n)
{
	assert_int_equal(rig.n_events, n);
}

#define PAGE(items) .status = 200, .body = "{\"meta\":{\"page_size\":2},\"data\":[" items "]}"
#define META(items, num, count)                                                                                        \
	{                                                                                                              \
		.status = 200, .body = "{\"meta\":{\"page_size\":2,\"page_num\":" #num                                 \
				       ",\"total_count\":9,\"page_count\":" #count "},\"data\":[" items "]}"           \
	}
#define NEXT(url) "<http://api.example.com/api/users?page_num=1>; rel=\"first\", <" url ">; rel=\"next\""

static void each_page_is_a_step_and_links_lead_to_the_next(void **state)
{
	SCRIPT(LOGIN(1),
	       { PAGE("{\"id\":1, \"name\":\"a, ]}\\\"\"} , {\"id\":\"x\"}"),
		 .link = "<http://api.example.com/api/users?page_num=1&page_size=2>; rel=\"first\", "
			 "<http://api.example.com/api/users?page_num=2&page_size=2>; rel=\"next\"" },
	       { PAGE("{\"id\":3}"),
		 .link = "<https://API.example.com:443/api/users?page_num=9>; title=\"a, b\"; REL=next" },
	       { PAGE(""), .link = "<https://api.example.com/api/users?page_num=1>; rel=\"prev\"" });
	(void)state;

	assert_int_equal(step(), PATCHBAY_OK);
	assert_string_equal(rig.sent[1].line, "GET " API "/users?page_size=2&pageSize=2");
	assert_has(rig.sent[1].headers, "Accept: application/json, text/csv;q=0.9\n");
	assert_has(rig.sent[1].headers, "Authorization: Bearer " TOKEN_OF(1) "\n");
	assert_lacks(rig.sent[1].headers, "Content-Type");
	assert_events(2);
	assert_str(rig.events[0].data, "{\"id\":1, \"name\":\"a, ]}\\\"\"}");
	assert_str(rig.events[0].key, "/users" US "1");
	assert_str(rig.events[0].type, "users");
	assert_str(rig.events[0].kind, "polled");
	assert_int_equal(rig.events[0].dedupe, PATCHBAY_DEDUPE_LATEST);
	assert_int_equal(rig.events[0].time_ns, 0);
	assert_str(rig.events[1].key, "/users" US "x");
	assert_int_equal(fetch.again_ms, 0);

	assert_int_equal(step(), PATCHBAY_OK);
	assert_string_equal(rig.sent[2].line, "GET " API "/users?page_num=2&page_size=2");
	assert_events(1);
	assert_int_equal(step(), PATCHBAY_OK);
	assert_string_equal(rig.sent[3].line, "GET " API "/users?page_num=9");
	assert_events(0);
	assert_int_equal(fetch.again_ms, MINUTES(15));
	assert_int_equal(step(), PATCHBAY_OK); /* nothing is due */
	assert_int_equal(rig.n_log, 0);
	assert_all_was_asked_for();
}

static void meta_leads_on_where_there_is_no_link(void **state)
{
	SCRIPT(LOGIN(1), META("{\"id\":1}", 1, 3), META("{\"id\":2}", 2, 3), META("{\"id\":3}", 3, 3));
	(void)state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(step(), PATCHBAY_OK);
		assert_events(1);
	}
	assert_string_equal(rig.sent[2].line, "GET " API "/users?page_size=2&pageSize=2&page_num=2");
	assert_string_equal(rig.sent[3].line, "GET " API "/users?page_size=2&pageSize=2&page_num=3");
	assert_int_equal(fetch.again_ms, MINUTES(15));
}

static void a_run_goes_on_where_it_was_after_a_crash(void **state)
{
	SCRIPT(LOGIN(1), META("{\"id\":1}", 1, 3), META("{\"id\":2}", 2, 3), LOGIN(2), META("{\"id\":2}", 2, 3),
	       META("{\"id\":3}", 3, 3));
	char *before;
	(void)state;

	step();
	before = xstrndup(fetch.cursor.p, fetch.cursor.n);
	step();
	fetch.cursor.n = 0; /* the second page did not become durable */
	buf_add(&fetch.cursor, before, strlen(before));
	free(before);
	stop();
	assert_int_equal(step(), PATCHBAY_OK);
	assert_str(rig.events[0].data, "{\"id\":2}");
	assert_int_equal(step(), PATCHBAY_OK);
	assert_str(rig.events[0].data, "{\"id\":3}");
	assert_int_equal(fetch.again_ms, MINUTES(15));
	assert_all_was_asked_for();
}

static void a_token_that_ends_in_the_middle_repeats_only_that_page(void **state)
{
	SCRIPT(LOGIN(1), META("{\"id\":1}", 1, 2), { .status = 401 }, LOGIN(2), META("{\"id\":2}", 2, 2));
	(void)state;

	step();
	assert_int_equal(step(), PATCHBAY_OK);
	assert_events(1);
	assert_string_equal(rig.sent[2].line, rig.sent[4].line);
	assert_has(rig.sent[4].headers, TOKEN_OF(2));
	assert_int_equal(fetch.again_ms, MINUTES(15));
}

static void trouble_keeps_the_place_and_says_how_long(void **state)
{
	SCRIPT(LOGIN(1), META("{\"id\":1}", 1, 2),
	       { .status = 503, .retry_after_s = 40, .body = "{\"Message\":\"busy\"}" },
	       {
		       .status = 200,
		       .body = "{\"data\":[{\"id\":2}",
	       },
	       { .failure = PATCHBAY_DOWN, .body = "reset" }, META("{\"id\":2}", 2, 2), { .status = 403 });
	(void)state;

	step();
	assert_int_equal(step(), PATCHBAY_DOWN);
	assert_int_equal(fetch.again_ms, 40000);
	assert_str_has(rig.call.why, "poll of /users: Motivate Cloud answered 503: busy");
	assert_events(0);
	assert_int_equal(step(), PATCHBAY_DOWN); /* half an answer */
	assert_str_has(rig.call.why, "neither JSON nor CSV");
	assert_events(0);
	assert_int_equal(step(), PATCHBAY_DOWN);
	assert_str_has(rig.call.why, "reset");
	assert_int_equal(step(), PATCHBAY_OK);
	assert_string_equal(last_sent()->line, "GET " API "/users?page_size=2&pageSize=2&page_num=2");
	assert_events(1);
}

static void a_refused_login_is_for_a_person(void **state)
{
	SCRIPT({ .status = 401, .body = "{\"Message\":\"wrong\"}" });
	(void)state;

	assert_int_equal(step(), PATCHBAY_EBADSINK);
	assert_str_has(rig.call.why, "the login failed: Motivate Cloud answered 401: wrong");
}

static void a_poll_that_fails_does_not_hold_up_the_other(void **state)
{
	SCRIPT(LOGIN(1), { .status = 200, .body = "[{\"id\":1}]" }, { .status = 404, .body = "{\"Message\":\"none\"}" },
	       { .status = 200, .body = "[{\"id\":2}]" }, { .status = 404 }, { .status = 500 },
	       { .status = 200, .body = "[{\"id\":3}]" }, { .status = 200, .body = "[]" });
	(void)state;

	set_polls(2);
	assert_int_equal(step(), PATCHBAY_OK);
	assert_int_equal(fetch.again_ms, 0);
	assert_int_equal(step(), PATCHBAY_OK); /* /badges is refused: said, and put off */
	assert_string_equal(last_sent()->line, "GET " API "/badges?all=1&page_size=2&pageSize=2");
	assert_events(0);
	assert_has(rig.log, "poll of /badges?all=1: Motivate Cloud answered 404: none; tried again when it is due");
	assert_int_equal(rig.n_log, 1);
	assert_int_equal(fetch.again_ms, MINUTES(15));
	rig.now_ns += MINUTES(15) * 1000000;
	for (int i = 0; i < 2; i++)
		assert_int_equal(step(), PATCHBAY_OK);
	assert_int_equal(rig.n_log, 1); /* said once */
	rig.now_ns += MINUTES(15) * 1000000;
	assert_int_equal(step(), PATCHBAY_DOWN);
	assert_int_equal(step(), PATCHBAY_OK); /* the other one's turn */
	assert_str(rig.events[0].type, "badges");
	assert_str(rig.events[0].key, "/badges?all=1" US "3");
	assert_int_equal(step(), PATCHBAY_OK);
	assert_all_was_asked_for();
}

static void links_that_lead_in_circles_end_the_run(void **state)
{
	SCRIPT(LOGIN(1), { PAGE("{\"id\":1}"), .link = NEXT(API "/users?p=2") },
	       { PAGE("{\"id\":2}"), .link = NEXT(API "/users?p=3") },
	       { PAGE("{\"id\":3}"), .link = NEXT(API "/users?p=4") },
	       { PAGE("{\"id\":4}"), .link = NEXT(API "/users?p=2") },
	       { PAGE("{\"id\":2}"), .link = NEXT(API "/users?p=3") },
	       { PAGE("{\"id\":3}"), .link = NEXT(API "/users?p=4") });
	(void)state;

	for (int i = 0; i < 6; i++) {
		assert_int_equal(step(), PATCHBAY_OK);
		assert_int_equal(fetch.again_ms, i < 5 ? 0 : MINUTES(15));
	}
	assert_has(rig.log, "lead in circles");
	assert_all_was_asked_for();
}

static void a_link_to_itself_ends_the_run_at_once(void **state)
{
	SCRIPT(LOGIN(1), { PAGE("{\"id\":1}"), .link = NEXT(API "/users?page_size=2&pageSize=2") });
	(void)state;

	assert_int_equal(step(), PATCHBAY_OK);
	assert_events(1);
	assert_int_equal(fetch.again_ms, MINUTES(15));
	assert_has(rig.log, "lead in circles");
}

static void links_to_elsewhere_are_not_followed(void **state)
{
	static const char *const links[] = {
		"<https://evil.example/api/users?page_num=2>; rel=\"next\"",
		"<https://api.example.com.evil.example/api/users?page_num=2>; rel=\"next\"",
		"<https://api.example.com@evil.example/users>; rel=\"next\"",
		"<https://api.example.com:8443/api/users?page_num=2>; rel=\"next\"",
		"<//evil.example/users>; rel=\"next\"",
		"<ftp://api.example.com/users>; rel=\"next\"",
		"<" API "/users?page_num=2&access_token=x>; rel=\"next\"",
		"<" API "/users?page_num=2\n>; rel=\"next\"",
	};
	struct scripted answers[3] = { LOGIN(1), { .status = 200, .body = "{\"data\":[{\"id\":1}]}" } };
	(void)state;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		answers[1].link = links[i];
		rig_script(answers, 2);
		fetch.cursor.n = 0;
		assert_int_equal(step(), PATCHBAY_OK);
		assert_events(1);
		assert_int_equal(fetch.again_ms, MINUTES(15));
		assert_has(rig.log, "leads to another server");
		stop();
	}
	/* but meta, where there is one, is as good */
	answers[1] = (struct scripted)META("{\"id\":1}", 1, 2);
	answers[1].link = links[0];
	answers[2] = (struct scripted)META("{\"id\":2}", 2, 2);
	rig_script(answers, 3);
	fetch.cursor.n = 0;
	step();
	assert_int_equal(step(), PATCHBAY_OK);
	assert_string_equal(last_sent()->line, "GET " API "/users?page_size=2&pageSize=2&page_num=2");
}

static void csv_rows_are_items(void **state)
{
	SCRIPT(LOGIN(1),
	       { .status = 200,
		 .type = "text/csv; charset=utf-8",
		 .body = "\xef\xbb\xbfid,name,,note\r\n1,\"Smith, "
			 "\"\"J\"\"\",x,\"two\r\nlines\"\r\n\r\n2,\xc3\xa9\xff,,\n3\n4,a,b,c,d" },
	       { .status = 200, .type = "text/csv", .body = "id,name\n1,\"open" },
	       { .status = 200, .type = "text/csv", .body = "id,name\n1,\"a\"b\n" },
	       { .status = 200, .type = "text/csv", .body = "id,name\r\n" });
	(void)state;

	*(patchbay_str *)poll_option(0, "subject") = STR("name");
	assert_int_equal(step(), PATCHBAY_OK);
	assert_events(4);
	assert_str(
		rig.events[0].data,
		"{\"id\":\"1\",\"name\":\"Smith, \\\"J\\\"\",\"column_3\":\"x\",\"note\":\"two\\u000d\\u000alines\"}");
	assert_str(rig.events[0].subject, "Smith, \"J\"");
	assert_str(rig.events[0].key, "/users" US "1");
	assert_str(rig.events[1].data,
		   "{\"id\":\"2\",\"name\":\"\xc3\xa9\xef\xbf\xbd\",\"column_3\":\"\",\"note\":\"\"}");
	assert_str(rig.events[2].data, "{\"id\":\"3\"}");
	assert_str(rig.events[3].data,
		   "{\"id\":\"4\",\"name\":\"a\",\"column_3\":\"b\",\"note\":\"c\",\"column_5\":\"d\"}");
	rig.now_ns += MINUTES(15) * 1000000;
	assert_int_equal(step(), PATCHBAY_DOWN);
	assert_str_has(rig.call.why, "ends inside a quoted cell");
	assert_int_equal(step(), PATCHBAY_DOWN);
	assert_int_equal(step(), PATCHBAY_OK);
	assert_events(0);
}

static void answers_of_other_shapes(void **state)
{
	static const struct {
		const char *body;
		size_t n;
		const char *first;
	} cases[] = {
		{ "[ ]", 0, NULL },
		{ "[1, \"a,]\" ,null,[2,{\"x\":[]}]\n]", 4, "1" },
		{ "{\"data\":null,\"meta\":{}}", 0, NULL },
		{ "{\"data\":{\"id\":5}}", 1, "{\"id\":5}" },
		{ "{\"id\":6,\"meta\":null}", 1, "{\"id\":6,\"meta\":null}" },
		{ "", 0, NULL },
		{ "{\"data\":[],\"meta\":{\"page_num\":\"x\",\"page_count\":99}}", 0, NULL },
		{ "{\"data\":[],\"meta\":{\"page_num\":1e9,\"page_count\":-1}}", 0, NULL },
	};
	struct scripted answers[] = { LOGIN(1), { .status = 200 } };
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answers[1].body = cases[i].body;
		rig_script(answers, 2);
		fetch.cursor.n = 0;
		assert_int_equal(step(), PATCHBAY_OK);
		assert_events(cases[i].n);
		if (cases[i].first)
			assert_str(rig.events[0].data, cases[i].first);
		assert_int_equal(fetch.again_ms, MINUTES(15));
		stop();
	}
}

static void what_tells_items_apart_is_configured(void **state)
{
	SCRIPT(LOGIN(1), { .status = 200,
			   .body = "[{\"user\":{\"id\":\"\\u0065\"},\"at\":\"2026-01-02T03:04:05.5Z\",\"who\":7},"
				   "{\"user\":{\"id\":null},\"at\":\"soon\"},\"text\"]" });
	char *hash_key;
	(void)state;

	*(patchbay_str *)poll_option(0, "id") = STR("user.id");
	*(patchbay_str *)poll_option(0, "time") = STR("at");
	*(patchbay_str *)poll_option(0, "subject") = STR("who");
	*(patchbay_str *)poll_option(0, "type") = STR("learner");
	assert_int_equal(step(), PATCHBAY_OK);
	assert_events(3);
	assert_str(rig.events[0].key, "/users" US "e");
	assert_str(rig.events[0].subject, "7");
	assert_str(rig.events[0].type, "learner");
	assert_int_equal(!!(rig.events[0].flags & PATCHBAY_EVENT_TYPE_GUESSED), 0);
	assert_str(rig.time->format(&rig.call, rig.events[0].time_ns), "2026-01-02T03:04:05.500Z");
	/* without an id, only the contents tell */
	assert_int_equal(rig.events[1].dedupe, PATCHBAY_DEDUPE_KEY);
	assert_int_equal(rig.events[1].time_ns, 0);
	hash_key =
		xasprintf("/users" US "%.*s", STR_ARG(((const patchbay_crypto_service *)service_find(PATCHBAY_CRYPTO))
							      ->sha256_hex(&rig.call, rig.events[1].data)));
	assert_str(rig.events[1].key, hash_key);
	free(hash_key);
	assert_int_equal(rig.events[2].dedupe, PATCHBAY_DEDUPE_KEY);
}

static void more_than_the_host_takes_is_said(void **state)
{
	SCRIPT(LOGIN(1), { .status = 200, .body = "[1,2,3]" });
	(void)state;

	fetch.limit = 2;
	assert_int_equal(step(), PATCHBAY_RETRY);
	assert_str_has(rig.call.why, "lower page_size");
}

static void a_page_of_10000_items_is_read_in_one_pass(void **state)
{
	struct buf body = { 0 };
	struct scripted answers[] = { LOGIN(1), { .status = 200 } };
	(void)state;

	buf_add(&body, "[1", 2);
	for (int i = 1; i < 10001; i++)
		buf_add(&body, ",1", 2);
	buf_add(&body, "]", 2);
	answers[1].body = body.p;
	rig_script(answers, 2);
	assert_int_equal(step(), PATCHBAY_DOWN);
	assert_str_has(rig.call.why, "more than 10000 items; ask for fewer with page_size");
	buf_free(&body);
}

static void a_cursor_that_makes_no_sense_starts_anew(void **state)
{
	static const char *const cursors[] = {
		"",
		"x",
		"[]",
		"{\"polls\":7}",
		"{\"polls\":[7,{\"path\":\"/gone\",\"due\":99999999999999}]}",
		"{\"polls\":[{\"path\":\"/users\",\"due\":9999999999999999,\"next\":\"\"}]}", /* as if the clock was set
												 back */
		"{\"polls\":[{\"path\":\"/users\",\"due\":-1}]}",
	};
	struct scripted answers[] = { LOGIN(1), { .status = 200, .body = "[{\"id\":1}]" } };
	(void)state;

	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		rig_script(answers, 2);
		fetch.cursor.n = 0;
		buf_add(&fetch.cursor, cursors[i], strlen(cursors[i]));
		assert_int_equal(step(), PATCHBAY_OK);
		assert_events(1);
		stop();
	}
}

static void wrong_polls_are_refused(void **state)
{
	static const struct {
		const char *path, *why;
	} cases[] = {
		{ "users", "must begin with '/'" },
		{ "//x", "must not begin with '//'" },
		{ "/a b", "percent-encoded" },
		{ "/badges?all=1", "is there twice" },
		{ "/x#y", "'#'" },
	};
	(void)state;

	set_polls(2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*(patchbay_str *)poll_option(0, "path") = str_c(cases[i].path);
		call_begin(&rig.call, 0);
		assert_int_equal(side()->check(&rig.host, &rig.call, fetch.options), PATCHBAY_ECONFIG);
		assert_str_has(rig.call.why, cases[i].why);
	}
	set_polls(1);
	*(patchbay_str *)option("secret_key") = STR("");
	assert_int_equal(side()->check(&rig.host, &rig.call, fetch.options), PATCHBAY_ECONFIG);
	assert_str_has(rig.call.why, "'secret_key' is missing");
}

static void without_polls_nothing_is_wanted(void **state)
{
	const patchbay_poll *poll = side()->extension(PATCHBAY_POLL);
	(void)state;

	assert_false(poll->wanted(instance_self(rig.side->instance)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_page_is_a_step_and_links_lead_to_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(meta_leads_on_where_there_is_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(a_run_goes_on_where_it_was_after_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(a_token_that_ends_in_the_middle_repeats_only_that_page, setup,
						teardown),
		cmocka_unit_test_setup_teardown(trouble_keeps_the_place_and_says_how_long, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_login_is_for_a_person, setup, teardown),
		cmocka_unit_test_setup_teardown(a_poll_that_fails_does_not_hold_up_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(links_that_lead_in_circles_end_the_run, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_to_itself_ends_the_run_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(links_to_elsewhere_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(csv_rows_are_items, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_of_other_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_tells_items_apart_is_configured, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_the_host_takes_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_of_10000_items_is_read_in_one_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cursor_that_makes_no_sense_starts_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_polls_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(without_polls_nothing_is_wanted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
