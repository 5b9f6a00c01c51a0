/* The slack plugin: messages, blocks, digests, and what Slack's answers mean. */
#include "slack_rig.h"

static void test_webhook(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	assert_int_equal(act_one(rig, "{\"where\":\"Main St\"}").status, PATCHBAY_OK);
	assert_string_equal(rig->url, WEBHOOK);
	assert_string_equal(rig->authorization, "");
	assert_string_equal(posted(rig, "text"), "Hard brake: Main St\n_event 01998a30-0000-7000-8000-000000000000_");
	assert_string_equal(posted(rig, "channel"), "");
	assert_string_equal(posted(rig, "unfurl_links"), "false");
	rig_close(rig);
}

static void test_api(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	use_token(rig);
	slack_says(rig, 200, "{\"ok\":true,\"ts\":\"1.2\"}");
	assert_int_equal(act_one(rig, "{\"where\":\"Main St\"}").status, PATCHBAY_OK);
	assert_string_equal(rig->url, "https://slack.example.com/api/chat.postMessage");
	assert_string_equal(rig->authorization, "Bearer " TOKEN);
	assert_string_equal(posted(rig, "channel"), "#safety");
	rig_close(rig);
}

static void test_errors(void **state)
{
	static const struct {
		bool api;
		int32_t http;
		const char *word;
		patchbay_status wanted;
	} cases[] = {
		{ false, 400, "invalid_payload", PATCHBAY_EBADEVENT },
		{ false, 400, "no_text", PATCHBAY_EBADEVENT },
		{ false, 400, "missing_text_or_fallback_or_attachments", PATCHBAY_EBADEVENT },
		{ false, 400, "invalid_blocks", PATCHBAY_EBADEVENT },
		{ false, 400, "invalid_blocks_format", PATCHBAY_EBADEVENT },
		{ false, 400, "too_many_attachments", PATCHBAY_EBADEVENT },
		{ false, 400, "user_not_found", PATCHBAY_ECONFIG },
		{ false, 403, "action_prohibited", PATCHBAY_EBADSINK },
		{ false, 403, "posting_to_general_channel_denied", PATCHBAY_EBADSINK },
		{ false, 403, "invalid_token", PATCHBAY_EBADSINK },
		{ false, 403, "team_disabled", PATCHBAY_EBADSINK },
		{ false, 404, "channel_not_found", PATCHBAY_EBADSINK },
		{ false, 404, "no_service", PATCHBAY_EBADSINK },
		{ false, 404, "no_service_id", PATCHBAY_EBADSINK },
		{ false, 404, "no_team", PATCHBAY_EBADSINK },
		{ false, 404, "no_active_hooks", PATCHBAY_EBADSINK },
		{ false, 410, "channel_is_archived", PATCHBAY_EBADSINK },
		{ false, 500, "rollup_error", PATCHBAY_DOWN },
		{ false, 429, "rate_limited", PATCHBAY_DOWN },
		{ false, 429, "invalid_payload", PATCHBAY_DOWN },      /* 429 is 429 */
		{ false, 404, "invalid_payload", PATCHBAY_EBADEVENT }, /* the word decides */
		{ false, 400, "no_service\n", PATCHBAY_EBADSINK },
		{ false, 502, "<html>very-secret</html>", PATCHBAY_DOWN },
		{ false, 408, "", PATCHBAY_DOWN },
		{ false, 404, "<html>", PATCHBAY_EBADSINK },
		{ false, 400, "something_new", PATCHBAY_RETRY },
		{ false, 418, "", PATCHBAY_RETRY },
		{ false, 302, "", PATCHBAY_EBADSINK },
		{ false, 200, "<html>not Slack</html>", PATCHBAY_EBADSINK },
		{ false, 200, "", PATCHBAY_EBADSINK },
		{ true, 200, "msg_too_long", PATCHBAY_EBADEVENT },
		{ true, 200, "msg_blocks_too_long", PATCHBAY_EBADEVENT },
		{ true, 200, "no_text", PATCHBAY_EBADEVENT },
		{ true, 200, "metadata_too_large", PATCHBAY_EBADEVENT },
		{ true, 200, "invalid_json", PATCHBAY_EBADEVENT },
		{ true, 200, "invalid_charset", PATCHBAY_EBADEVENT },
		{ true, 200, "channel_not_found", PATCHBAY_EBADSINK },
		{ true, 200, "not_in_channel", PATCHBAY_EBADSINK },
		{ true, 200, "is_archived", PATCHBAY_EBADSINK },
		{ true, 200, "restricted_action", PATCHBAY_EBADSINK },
		{ true, 200, "restricted_action_thread_locked", PATCHBAY_EBADSINK },
		{ true, 200, "not_authed", PATCHBAY_EBADSINK },
		{ true, 200, "invalid_auth", PATCHBAY_EBADSINK },
		{ true, 200, "token_revoked", PATCHBAY_EBADSINK },
		{ true, 200, "token_expired", PATCHBAY_EBADSINK },
		{ true, 200, "account_inactive", PATCHBAY_EBADSINK },
		{ true, 200, "missing_scope", PATCHBAY_EBADSINK },
		{ true, 200, "team_access_not_granted", PATCHBAY_EBADSINK },
		{ true, 200, "access_denied", PATCHBAY_EBADSINK },
		{ true, 200, "enterprise_is_restricted", PATCHBAY_EBADSINK },
		{ true, 200, "ekm_access_denied", PATCHBAY_EBADSINK },
		{ true, 200, "deprecated_endpoint", PATCHBAY_EBADSINK },
		{ true, 200, "org_login_required", PATCHBAY_DOWN },
		{ true, 200, "ratelimited", PATCHBAY_DOWN },
		{ true, 200, "internal_error", PATCHBAY_DOWN },
		{ true, 200, "fatal_error", PATCHBAY_DOWN },
		{ true, 200, "service_unavailable", PATCHBAY_DOWN },
		{ true, 200, "request_timeout", PATCHBAY_DOWN },
		{ true, 200, "something_new", PATCHBAY_RETRY },
		{ true, 503, "something_new", PATCHBAY_DOWN },
		{ true, 200, "Very-Secret", PATCHBAY_EBADSINK },
	};
	struct rig *rig = rig_open();
	char answer[256];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].api && !*rig->authorization)
			use_token(rig);
		snprintf(answer, sizeof(answer), "{\"ok\":false,\"error\":\"%s\"}", cases[i].word);
		slack_says(rig, cases[i].http, cases[i].api ? answer : cases[i].word);
		patchbay_result result = act_one(rig, "{}");
		if (result.status != cases[i].wanted)
			fail_msg("%d %s: %d, wanted %d: %s", (int)cases[i].http, cases[i].word, (int)result.status,
				 (int)cases[i].wanted, rig->why);
		assert_non_null(strstr(rig->why, "Slack answered"));
		assert_null(strstr(rig->why, "ecret"));
		if (strspn(cases[i].word, "abcdefghijklmnopqrstuvwxyz_") == strlen(cases[i].word))
			assert_non_null(strstr(rig->why, cases[i].word));
	}
	rig_close(rig);
}

static void test_no_service_says_what_to_do(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	slack_says(rig, 404, "no_service");
	act_one(rig, "{}");
	assert_string_equal(rig->why,
			    "Slack answered 404 no_service: the webhook was removed; make a new webhook in Slack "
			    "and put its URL into webhook_url");
	rig_close(rig);
}

static void test_retry_after(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	slack_says(rig, 429, "rate_limited");
	rig->retry_after_ms = 30000;
	assert_int_equal(act_one(rig, "{}").after_ms, 30000);
	rig->status = 503;
	assert_int_equal(act_one(rig, "{}").after_ms, 30000);
	rig->retry_after_ms = -1;
	assert_int_equal(act_one(rig, "{}").after_ms, 0);
	rig_close(rig);
}

static void test_no_answer(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	rig->sent = PATCHBAY_DOWN;
	assert_int_equal(act_one(rig, "{}").status, PATCHBAY_DOWN);
	assert_string_equal(rig->why, "hooks.example.com:443 is gone");
	rig->maybe_sent = 1;
	assert_int_equal(act_one(rig, "{}").status, PATCHBAY_DOWN);
	assert_non_null(strstr(rig->why, "may have been posted"));
	rig->sent = PATCHBAY_EBADSINK;
	assert_int_equal(act_one(rig, "{}").status, PATCHBAY_EBADSINK);
	rig_close(rig);
}

static void test_nothing_gets_out_of_the_text(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	act_one(rig, "{\"where\":\"<!channel> <https://evil|click> <@U1> a & b &amp; \\\" \\\\ \\n\\u0001\\u0000 "
		     "\\ud83d\\ude97\"}");
	assert_string_equal(
		posted(rig, "text"),
		"Hard brake: &lt;!channel&gt; &lt;https://evil|click&gt; &lt;@U1&gt; a &amp; b &amp;amp; \" \\ \n"
		"\x01\xef\xbf\xbd \xf0\x9f\x9a\x97\n_event 01998a30-0000-7000-8000-000000000000_");
	set_text(rig, "text", "<!here> \\(.data.where)"); /* what the operator writes is meant */
	act_one(rig, "{\"where\":[\"<\"]}");
	assert_non_null(strstr(posted(rig, "text"), "<!here> [\"&lt;\"]"));
	rig_close(rig);
}

static void test_long_texts_are_cut_between_characters(void **state)
{
	static const char *const units[] = { "x", "\xf0\x9f\x9a\x97", "\xc3\xa4", "&", "<", "\xe2\x82\xac" };
	static const char *const shown[] = { "x", "\xf0\x9f\x9a\x97", "\xc3\xa4", "&amp;", "&lt;", "\xe2\x82\xac" };
	struct rig *rig = rig_open();
	(void)state;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (size_t shift = 0; shift < 6; shift++) {
			char *prefix = repeat("{\"where\":\"", "-", shift, "");
			char *data = repeat(prefix, units[i], 30000, "\"}");
			assert_int_equal(act_one(rig, data).status, PATCHBAY_OK);
			char *text = posted(rig, "text"), *end = strstr(text, "\n_event 01998a30-");
			assert_in_range(strlen(text), 3980, 4000);
			assert_non_null(end);
			assert_memory_equal(end - 3, "\xe2\x80\xa6", 3);
			size_t unit = strlen(shown[i]);
			for (char *at = text + strlen("Hard brake: ") + shift; at < end - 3; at += unit)
				assert_memory_equal(at, shown[i], unit);
			free(prefix);
			free(data);
		}
	}
	rig_close(rig);
}

static void test_texts_that_fail(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	set_text(rig, "text", "\\(.data.n + 1)");
	assert_int_equal(act_one(rig, "{\"n\":\"one\"}").status, PATCHBAY_ECONFIG);
	assert_true(rig->why[0] != '\0');
	set_text(rig, "text", " \\(.data.n // \"\")\n");
	assert_int_equal(act_one(rig, "{}").status, PATCHBAY_ECONFIG);
	assert_non_null(strstr(rig->why, "'text' gives nothing"));
	assert_int_equal(rig->posts, 0);
	rig_close(rig);
}

static void test_blocks(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	set_text(rig, "blocks",
		 "[{\"type\": \"section\", \"text\": {\"type\": \"mrkdwn\", \"text\": \"*Where:* \\(.data.where)\"}},"
		 " {\"type\": \"divider\"}]");
	act_one(rig, "{\"where\":\"\\\"}}, {\\\"type\\\":\\\"x\\\"} <!channel> \\\\ \\u0007\"}");
	assert_int_equal(posted_count(rig, "blocks"), 3);
	assert_string_equal(posted(rig, "blocks.0.text.text"),
			    "*Where:* \"}}, {\"type\":\"x\"} &lt;!channel&gt; \\ \x07");
	assert_string_equal(posted(rig, "blocks.2.type"), "context");
	assert_string_equal(posted(rig, "blocks.2.elements.0.text"), "event 01998a30-0000-7000-8000-000000000000");
	assert_null(strstr(posted(rig, "text"), "_event"));

	char *data = repeat("{\"where\":\"", "\xf0\x9f\x9a\x97", 5000, "\"}");
	act_one(rig, data);
	char *text = posted(rig, "blocks.0.text.text");
	assert_in_range(strlen(text), 2990, 3000);
	assert_string_equal(text + strlen(text) - 7, "\xf0\x9f\x9a\x97\xe2\x80\xa6");
	assert_string_equal(posted(rig, "blocks.2.elements.0.text"), "event 01998a30-0000-7000-8000-000000000000");
	free(data);
	rig_close(rig);
}

static void test_every_place_in_blocks_is_cut(void **state)
{
	struct rig *rig = rig_open();
	(void)state;

	set_text(rig, "blocks",
		 "[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"\\(.data.where)\"}},"
		 "{\"type\":\"section\",\"fields\":[{\"type\":\"mrkdwn\",\"text\":\"\\(.data.where)\"}]},"
		 "{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"\\(.data.where)\"}]},"
		 "{\"type\":\"actions\",\"elements\":[{\"type\":\"button\",\"text\":{\"type\":\"plain_text\",\"text\":"
		 "\"\\("
		 ".data.where)\"}}]}]");
	char *data = repeat("{\"where\":\"", "ab", 4000, "\"}");
	act_one(rig, data);
	assert_int_equal(strlen(posted(rig, "blocks.0.text.text")), 150);
	assert_int_equal(strlen(posted(rig, "blocks.1.fields.0.text")), 2000);
	assert_int_equal(strlen(posted(rig, "blocks.2.elements.0.text")), 2000);
	assert_int_equal(strlen(posted(rig, "blocks.3.elements.0.text.text")), 75);
	free(data);
	rig_close(rig);
}

static void test_blocks_that_no_message_takes(void **state)
{
	static const char *const wrong[] = { "{}", "[1]", "[{\"a\": \\(.data.where)}]", "[" };
	struct rig *rig = rig_open();
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_text(rig, "blocks", wrong[i]);
		assert_int_equal(act_one(rig, "{\"where\":\"x\"}").status, PATCHBAY_ECONFIG);
		assert_non_null(strstr(rig->why, "'blocks' gives no JSON array of objects"));
	}
	assert_int_equal(rig->posts, 0);

	/* Too many, or too long together: the text does. */
	char *many = repeat("[", "{\"type\":\"divider\"},", 50, "{\"type\":\"divider\"}]");
	char *bulky = repeat("[", "{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"\\(.data.where)\"}},",
			     5, "{\"type\":\"divider\"}]");
	char *data = repeat("{\"where\":\"", "x", 3000, "\"}");
	const char *templates[] = { "[]", many, bulky };
	for (size_t i = 0; i < 3; i++) {
		set_text(rig, "blocks", templates[i]);
		assert_int_equal(act_one(rig, data).status, PATCHBAY_OK);
		assert_null(strstr(rig->body, "\"blocks\""));
		assert_non_null(strstr(posted(rig, "text"), "\n_event 01998a30-"));
	}
	free(many);
	free(bulky);
	free(data);
	rig_close(rig);
}

static void test_one_message_in_a_call(void **state)
{
	struct rig *rig = rig_open();
	patchbay_delivery events[10];
	patchbay_result results[10];
	(void)state;

	for (size_t i = 0; i < 10; i++)
		make_event(&events[i], i, "{\"where\":\"x\"}");
	act(rig, events, 10, results);
	assert_int_equal(rig->posts, 1);
	assert_int_equal(results[0].status, PATCHBAY_OK);
	for (size_t i = 1; i < 10; i++)
		assert_int_equal(results[i].status, PATCHBAY_UNTOUCHED);
	rig_close(rig);
}

static void test_digest(void **state)
{
	struct rig *rig = rig_open();
	patchbay_delivery events[40];
	patchbay_result results[40];
	char id[64];
	(void)state;

	for (size_t i = 0; i < 40; i++) {
		make_event(&events[i], i, "{}");
		events[i].time_ns = NOON_NS + (int64_t)((i * 7) % 40) * MINUTE_NS;
		if (i % 4 == 3)
			events[i].route = STR("routes.yaml:57");
	}
	events[4].type = STR("fault<code>");
	events[5].type = STR("fault<code>");
	events[5].time_ns = events[4].time_ns - 24 * 60 * MINUTE_NS;
	events[6].type = STR("once");
	events[6].time_ns = NOON_NS;
	act(rig, events, 40, results);
	assert_int_equal(rig->posts, 1);
	char *text = posted(rig, "text");
	assert_ptr_equal(strstr(text, "*30 events* in one message"), text);
	assert_non_null(strstr(text, "\n27 \xc3\x97 hard_brake, 12:00\xe2\x80\x93"));
	assert_non_null(strstr(text, "\n2 \xc3\x97 fault&lt;code&gt;, 2025-11-21 12:28\xe2\x80\x93"
				     "12:28 (UTC)\n"));
	assert_non_null(strstr(text, "\n1 \xc3\x97 once, 12:00 (UTC)\n"));
	for (size_t i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), ID, i);
		assert_int_equal(results[i].status, i % 4 == 3 ? PATCHBAY_UNTOUCHED : PATCHBAY_OK);
		assert_int_equal(strstr(text, id) != NULL, i % 4 != 3);
	}
	rig_close(rig);
}

static void test_digest_takes_what_fits(void **state)
{
	struct rig *rig = rig_open();
	patchbay_delivery events[200];
	patchbay_result results[200];
	char types[200][16], id[64];
	(void)state;

	for (int many_types = 0; many_types < 2; many_types++) {
		size_t named = 0;
		for (size_t i = 0; i < 200; i++) {
			make_event(&events[i], i, "{}");
			snprintf(types[i], sizeof(types[i]), "type_%zu", i);
			if (many_types)
				events[i].type = str_c(types[i]);
		}
		act(rig, events, 200, results);
		char *text = posted(rig, "text");
		assert_true(strlen(text) <= 4000);
		while (named < 200 && results[named].status == PATCHBAY_OK)
			named++;
		assert_in_range(named, many_types ? 12 : 95, many_types ? 24 : 110);
		for (size_t i = 0; i < 200; i++) {
			snprintf(id, sizeof(id), ID, i);
			assert_int_equal(results[i].status, i < named ? PATCHBAY_OK : PATCHBAY_UNTOUCHED);
			assert_int_equal(strstr(text, id) != NULL, i < named);
		}
	}
	*(int64_t *)option(rig, "digest") = 0;
	act(rig, events, 200, results);
	assert_non_null(strstr(posted(rig, "text"), "Hard brake"));
	assert_int_equal(results[1].status, PATCHBAY_UNTOUCHED);
	rig_close(rig);
}

static void test_digest_in_trouble(void **state)
{
	struct rig *rig = rig_open();
	patchbay_delivery events[20];
	patchbay_result results[20];
	(void)state;

	for (size_t i = 0; i < 20; i++)
		make_event(&events[i], i, "{}");
	slack_says(rig, 429, "rate_limited");
	rig->retry_after_ms = 5000;
	act(rig, events, 20, results);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(results[i].status, PATCHBAY_DOWN);
		assert_int_equal(results[i].after_ms, 5000);
	}
	/* What is wrong with a digest is not the fault of its events. */
	slack_says(rig, 400, "invalid_payload");
	act(rig, events, 20, results);
	assert_int_equal(results[0].status, PATCHBAY_RETRY);
	assert_non_null(strstr(rig->log, "no more digests"));
	slack_says(rig, 200, "ok");
	act(rig, events, 20, results);
	assert_int_equal(results[0].status, PATCHBAY_OK);
	assert_int_equal(results[1].status, PATCHBAY_UNTOUCHED);
	rig_close(rig);
}

static void test_check(void **state)
{
	static const struct {
		const char *webhook, *token, *channel, *api, *wanted; /* NULL: fine */
	} cases[] = {
		{ WEBHOOK, "", "", "https://slack.com/api", NULL },
		{ "", TOKEN, "C1", "https://slack.com/api", NULL },
		{ "", "", "", "https://slack.com/api", "nothing says how to post" },
		{ WEBHOOK, TOKEN, "C1", "https://slack.com/api", "both given" },
		{ WEBHOOK, "", "C1", "https://slack.com/api", "'channel' has no effect" },
		{ "", TOKEN, "", "https://slack.com/api", "'channel' is missing" },
		{ "", "xoxb very-secret", "C1", "https://slack.com/api", "'token' has a space" },
		{ "", TOKEN, "C1", "ftp://slack.com/api", "https://" },
		{ "http://hooks.example.com/very-secret", "", "", "https://slack.com/api", "in the clear" },
		{ "https://10.1.2.3/very-secret", "", "", "https://slack.com/api", "allow_private" },
		{ "very-secret", "", "", "https://slack.com/api", "https://" },
	};
	struct rig *rig = rig_open();
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set(rig, "webhook_url", cases[i].webhook);
		set(rig, "token", cases[i].token);
		set(rig, "channel", cases[i].channel);
		set(rig, "api_url", cases[i].api);
		call_begin(&rig->call, 0);
		patchbay_status status = rig->plugin->sink->check(&rig->host, &rig->call, rig->options);
		keep(rig->why, sizeof(rig->why), rig->call.why);
		assert_null(strstr(rig->why, "very-secret"));
		assert_int_equal(status, cases[i].wanted ? PATCHBAY_ECONFIG : PATCHBAY_OK);
		if (cases[i].wanted && !strstr(rig->why, cases[i].wanted))
			fail_msg("case %zu: %s", i, rig->why);
	}
	rig_close(rig);
}

static void test_preview(void **state)
{
	struct rig *rig = rig_open();
	const patchbay_preview *preview = rig->plugin->sink->extension(PATCHBAY_PREVIEW);
	patchbay_delivery events[11];
	const patchbay_delivery *list[11];
	patchbay_str out;
	(void)state;

	for (size_t i = 0; i < 11; i++) {
		make_event(&events[i], i, "{\"where\":\"<b>\"}");
		list[i] = &events[i];
	}
	call_begin(&rig->call, 0);
	assert_int_equal(preview->preview(rig->self, &rig->call, list, 1, &out), PATCHBAY_OK);
	assert_true(str_is(out, "{\"text\":\"Hard brake: &lt;b&gt;\"}"));
	set_text(rig, "blocks", "[{\"type\": \"divider\"}]");
	assert_int_equal(preview->preview(rig->self, &rig->call, list, 1, &out), PATCHBAY_OK);
	assert_true(str_is(out, "{\"text\":\"Hard brake: &lt;b&gt;\",\"blocks\":[{\"type\": \"divider\"}]}"));
	assert_int_equal(preview->preview(rig->self, &rig->call, list, 11, &out), PATCHBAY_OK);
	assert_true(str_starts(out, STR("{\"digest\":\"*11 events*")));
	set_text(rig, "blocks", "{}");
	assert_int_equal(preview->preview(rig->self, &rig->call, list, 1, &out), PATCHBAY_ECONFIG);
	assert_int_equal(rig->posts, 0);
	assert_null(rig->plugin->sink->extension("patchbay.unknown/1"));
	rig_close(rig);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_webhook),
		TEST(test_api),
		TEST(test_errors),
		TEST(test_no_service_says_what_to_do),
		TEST(test_retry_after),
		TEST(test_no_answer),
		TEST(test_nothing_gets_out_of_the_text),
		TEST(test_long_texts_are_cut_between_characters),
		TEST(test_texts_that_fail),
		TEST(test_blocks),
		TEST(test_every_place_in_blocks_is_cut),
		TEST(test_blocks_that_no_message_takes),
		TEST(test_one_message_in_a_call),
		TEST(test_digest),
		TEST(test_digest_takes_what_fits),
		TEST(test_digest_in_trouble),
		TEST(test_check),
		TEST(test_preview),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
