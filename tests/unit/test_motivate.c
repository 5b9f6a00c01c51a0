#include "source_harness.h"

#include <ctype.h>

#define KEY "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
/* printf 1700000000TOKEN | openssl dgst -sha256 -hmac KEY */
#define SIGNATURE "254EAF930AD2464F092DB6492AF119A7E3989E11385BFC1874421D8B48FAEBEC"
#define SIGNED_S INT64_C(1700000000)
#define US "\x1f"

#define MESSAGE(timestamp, token, signature, rest)                                                                     \
	"{\"timestamp\":" timestamp ",\"token\":\"" token "\",\"signature\":\"" signature "\"," rest "}"

static const patchbay_str key = { KEY, sizeof(KEY) - 1 };

static struct source *open_with(const patchbay_str *keys, size_t n, int64_t tolerance_ms)
{
	struct source *s = source_open("motivate");

	source_secrets(s, "webhook_key", keys, n);
	*(int64_t *)source_option(s, "timestamp_tolerance") = tolerance_ms;
	source_start(s);
	return s;
}

static int setup(void **state)
{
	*state = open_with(&key, 1, 3 * 3600 * 1000);
	return 0;
}

static int teardown(void **state)
{
	source_close(*state);
	return 0;
}

/* As it arrives so many seconds after it was signed. */
static patchbay_status verify_after(struct source *s, patchbay_str body, int64_t late_s)
{
	patchbay_request r = source_request(body);

	r.received_ns = (SIGNED_S + late_s) * NS_PER_S_;
	return source_verify(s, &r);
}

/* ---- What proves a message */

static void accepts_the_signature_of_timestamp_and_token(void **state)
{
	char lower[] = SIGNATURE, *body;

	assert_int_equal(verify_after(*state, STR(MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1")), 0), PATCHBAY_OK);
	assert_why(*state, "secret 1 of 1");
	/* the manual's examples have the timestamp in quotes */
	assert_int_equal(verify_after(*state, STR(MESSAGE("\"1700000000\"", TOKEN, SIGNATURE, "\"a\":1")), 0),
			 PATCHBAY_OK);
	for (size_t i = 0; i < 64; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	body = xasprintf("{\"signature\":\"%s\",\"token\":\"" TOKEN "\",\"timestamp\": 1700000000 }", lower);
	assert_int_equal(verify_after(*state, str_c(body), 0), PATCHBAY_OK);
	free(body);
	/* a letter written as an escape is the same letter */
	assert_int_equal(
		verify_after(*state,
			     STR("{\"timestamp\":1700000000,\"token\":\"\\u0061bcdefghijklmnopqrstuvwxyzABCDEFGHIJKL"
				 "MNOPQRSTUVWX\",\"signature\":\"" SIGNATURE "\"}"),
			     0),
		PATCHBAY_OK);
}

static void refuses_what_the_signature_does_not_fit(void **state)
{
	static const struct {
		const char *body, *why;
	} cases[] = {
		{ MESSAGE("1700000001", TOKEN, SIGNATURE, "\"a\":1"), "none of the configured secrets (1)" },
		{ MESSAGE("1700000000", "bbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX", SIGNATURE, "\"a\":1"),
		  "none of the configured secrets (1)" },
		{ MESSAGE("1700000000", TOKEN, "354EAF930AD2464F092DB6492AF119A7E3989E11385BFC1874421D8B48FAEBEC",
			  "\"a\":1"),
		  "none of the configured secrets (1)" },
		{ MESSAGE("1700000000", TOKEN, "254EAF93", "\"a\":1"), "64 hex digits" },
		{ MESSAGE("1700000000", TOKEN, SIGNATURE "00", "\"a\":1"), "64 hex digits" },
		{ MESSAGE("1700000000", TOKEN, "X54EAF930AD2464F092DB6492AF119A7E3989E11385BFC1874421D8B48FAEBEC",
			  "\"a\":1"),
		  "64 hex digits" },
		{ MESSAGE("1700000000", TOKEN, "25-4E-AF-93-0A-D2-46-4F-09-2D-B6-49-2A-F1-19-A7-E3-98-9E-11-38-5B",
			  "\"a\":1"),
		  "64 hex digits" },
		{ MESSAGE("1700000000", TOKEN, "", "\"a\":1"), "'signature' is missing" },
		{ MESSAGE("1700000000", "", SIGNATURE, "\"a\":1"), "'token' is missing" },
		{ "{\"timestamp\":1700000000,\"token\":\"" TOKEN "\"}", "'signature' is missing" },
		{ "{\"timestamp\":1700000000,\"token\":\"" TOKEN "\",\"signature\":null}", "'signature' is missing" },
		{ "{\"timestamp\":1700000000,\"token\":12,\"signature\":\"" SIGNATURE "\"}", "'token' is missing" },
		{ "{\"token\":\"" TOKEN "\",\"signature\":\"" SIGNATURE "\"}", "'timestamp' is missing" },
		{ MESSAGE("1700000000.0", TOKEN, SIGNATURE, "\"a\":1"), "'timestamp' is missing" },
		{ MESSAGE("1.7e9", TOKEN, SIGNATURE, "\"a\":1"), "'timestamp' is missing" },
		{ MESSAGE("-170000000", TOKEN, SIGNATURE, "\"a\":1"), "'timestamp' is missing" },
		{ MESSAGE("[1700000000]", TOKEN, SIGNATURE, "\"a\":1"), "'timestamp' is missing" },
		/* a digit moved over: the same bytes signed, another token */
		{ MESSAGE("170000000", "0" TOKEN, SIGNATURE, "\"a\":1"), "'timestamp' is missing" },
		/* the last of two counts, here as in the event */
		{ MESSAGE("1700000000", TOKEN, SIGNATURE, "\"token\":\"x\""), "none of the configured secrets (1)" },
		{ "{\"event_data\":" MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1") "}", "'timestamp' is missing" },
		{ "[" MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1") "]", "not a JSON object" },
		{ MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1") "x", "not a JSON object" },
		{ "", "not a JSON object" },
		{ "null", "not a JSON object" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (verify_after(*state, str_c(cases[i].body), 0) != PATCHBAY_EDENIED)
			fail_msg("accepted %s", cases[i].body);
		assert_why(*state, cases[i].why);
	}
}

static void every_change_of_one_character_of_the_signature_is_refused(void **state)
{
	char *body = xstrdup(MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1")), *hex = strstr(body, SIGNATURE);

	for (size_t i = 0; i < 64; i++) {
		char was = hex[i];
		hex[i] = was == '7' ? '8' : '7';
		assert_int_equal(verify_after(*state, str_c(body), 0), PATCHBAY_EDENIED);
		hex[i] = was;
	}
	assert_int_equal(verify_after(*state, str_c(body), 0), PATCHBAY_OK);
	free(body);
}

static void old_and_future_messages_are_refused_within_reason(void **state)
{
	patchbay_str body = STR(MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1"));
	struct source *off = open_with(&key, 1, 0);

	/* the last retry of a message whose timestamp should be that of the first try comes after 2 h 3 m */
	assert_int_equal(verify_after(*state, body, 2 * 3600 + 10 * 60), PATCHBAY_OK);
	assert_int_equal(verify_after(*state, body, 3 * 3600), PATCHBAY_OK);
	assert_int_equal(verify_after(*state, body, 3 * 3600 + 1), PATCHBAY_EDENIED);
	assert_why(*state, "10801 s before");
	assert_int_equal(verify_after(*state, body, -3 * 3600), PATCHBAY_OK);
	assert_int_equal(verify_after(*state, body, -3 * 3600 - 1), PATCHBAY_EDENIED);
	assert_why(*state, "10801 s after");
	assert_int_equal(verify_after(off, body, 86400 * 365), PATCHBAY_OK);
	source_close(off);
}

static void a_key_is_changed_without_a_gap(void **state)
{
	const patchbay_str both[] = { STR("a new key"), key }, other[] = { STR("a new key") };
	patchbay_str body = STR(MESSAGE("1700000000", TOKEN, SIGNATURE, "\"a\":1"));
	struct source *s = open_with(both, 2, 0);

	(void)state;
	assert_int_equal(verify_after(s, body, 0), PATCHBAY_OK);
	assert_why(s, "secret 2 of 2");
	source_close(s);
	s = open_with(other, 1, 0);
	assert_int_equal(verify_after(s, body, 0), PATCHBAY_EDENIED);
	source_close(s);
}

static void without_a_key_the_url_is_all_and_the_operator_is_told(void **state)
{
	struct source *s = open_with(NULL, 0, 3 * 3600 * 1000);
	const patchbay_str empty[] = { STR("") };

	(void)state;
	assert_int_equal(verify_after(s, STR("anything"), 0), PATCHBAY_OK);
	assert_why(s, "no 'webhook_key'");
	call_begin(&s->call, 0);
	assert_int_equal(s->plugin->source->check(instance_host(s->instance), &s->call, s->options), PATCHBAY_OK);
	assert_why(s, "path_secret");
	source_close(s);
	s = source_open("motivate");
	source_secrets(s, "webhook_key", empty, 1);
	source_start_fails(s, "'webhook_key' is empty");
	source_close(s);
}

/* ---- Events */

static const struct {
	const char *sample, *type, *kind, *subject, *time, *key;
	uint32_t flags;
} samples[] = {
	{ "badge_earned", "ExampleBadgeEarned", "badge_earned", "user E104417", "2025-11-18T14:03:26.413Z", NULL, 0 },
	{ "course_completed", "ExampleCourseCompleted", "course_completed", "user E104417", "2025-11-18T15:03:31.087Z",
	  NULL, 0 },
	{ "course_pack_completed", "ExampleCoursePackCompleted", "course_pack_completed", "user E104417",
	  "2025-11-18T15:03:31.243Z", NULL, 0 },
	{ "level_reached", "ExampleLevelReached", "level_reached", "user E104417", "2025-11-18T15:03:33.510Z", NULL,
	  0 },
	{ "reward_redeemed", "ExampleRewardRedeemed", "reward_redeemed", "user E104417", "2025-11-18T16:06:29.800Z",
	  NULL, 0 },
	{ "ftp_job", "ExampleFtpJob", "ftp_job", "ftp 90144", "2025-11-19T02:00:41.117Z",
	  "3908f227-c59d-4916-ab0e-e76f2ac34446", 0 },
	{ "test_message", "ExampleBadgeEarned", "badge_earned", "user E104417", "2025-11-18T13:53:20.900Z",
	  "fc394724-9fc2-40a1-ab8f-2ab53451d013", PATCHBAY_EVENT_TEST },
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void every_sample_has_its_identity_time_and_subject(void **state)
{
	struct source *s = *state;
	const patchbay_time_service *time = source_service(s, PATCHBAY_TIME);

	assert_int_equal(source_simulate(s)->n_samples, N_SAMPLES);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		patchbay_str body = source_sample_named(s, samples[i].sample);
		char *path = xasprintf("%s/plugins/motivate/samples/%s.json", SOURCE_DIR, samples[i].sample);
		patchbay_request r = source_request(body);
		const patchbay_event *e = source_event(s, body);
		assert_is_file(body, path);
		assert_str(e->type, samples[i].type);
		assert_str(e->kind, samples[i].kind);
		assert_str(e->subject, samples[i].subject);
		assert_str(time->format(&s->call, e->time_ns), samples[i].time);
		assert_int_equal(e->flags, samples[i].flags);
		assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_KEY);
		assert_int_equal(e->key.n, 36);
		assert_int_equal(e->token.n, 50);
		if (samples[i].key)
			assert_str(e->key, samples[i].key);
		assert_true(str_eq(e->data, body));
		/* and is signed as documented, under the key of the vector */
		r.received_ns = e->time_ns;
		assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
		free(path);
	}
}

static void every_serial_is_an_event_of_its_own(void **state)
{
	static const uint64_t serials[] = { 0, 1, 2, 86400 * 365, UINT64_C(0x8000000000000001), UINT64_MAX };
	enum { N = sizeof(serials) / sizeof(serials[0]) };
	struct source *s = *state;

	for (uint32_t i = 0; i < N_SAMPLES; i++) {
		char *keys[N];
		for (size_t n = 0; n < N; n++) {
			patchbay_str body;
			char *copy = source_sample(s, i, serials[n], &body);
			const patchbay_event *e = source_event(s, body);
			keys[n] = xstrndup(e->key.p, e->key.n);
			assert_str(e->kind, samples[i].kind);
			assert_int_equal(e->key.n, 36);
			assert_int_equal(e->flags, samples[i].flags);
			for (size_t earlier = 0; earlier < n; earlier++)
				assert_string_not_equal(keys[earlier], keys[n]);
			free(copy);
		}
		for (size_t n = 0; n < N; n++)
			free(keys[n]);
	}
}

static void each_try_is_signed_anew_and_stays_the_same_message(void **state)
{
	struct source *s = *state;
	const patchbay_simulate *simulate = source_simulate(s);

	for (uint32_t i = 0; i < N_SAMPLES; i++) {
		struct patchbay_call call;
		patchbay_str body;
		char *copy = source_sample(s, i, 3, &body), *id, *token;
		patchbay_request r = source_request(body);
		const patchbay_event *e;
		call_init(&call, 1 << 20);
		call_begin(&call, 0);
		assert_int_equal(simulate->sign(instance_self(s->instance), &call, 0, 0, &r), PATCHBAY_OK);
		assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
		e = source_event(s, r.body);
		id = xstrndup(e->key.p, e->key.n);
		token = xstrndup(e->token.p, e->token.n);
		assert_int_equal(strlen(token), 50);
		r.received_ns += 60 * NS_PER_S_;
		assert_int_equal(simulate->sign(instance_self(s->instance), &call, 0, 1, &r), PATCHBAY_OK);
		assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
		e = source_event(s, r.body);
		assert_str(e->key, id);
		assert_false(str_is(e->token, token));
		assert_int_equal(simulate->sign(instance_self(s->instance), &call, PATCHBAY_SIGN_WRONG, 2, &r),
				 PATCHBAY_OK);
		assert_int_equal(source_verify(s, &r), PATCHBAY_EDENIED);
		assert_why(s, "none of the configured secrets (1)");
		call_fini(&call);
		free(id);
		free(token);
		free(copy);
	}
}

static void what_is_missing_is_put_in_and_without_a_key_nothing_is_signed(void **state)
{
	struct source *s = *state, *open = open_with(NULL, 0, 0);
	const patchbay_simulate *simulate = source_simulate(s);
	patchbay_request r = source_request(STR(" {\"message_id\":\"m1\"}\n"));
	const patchbay_event *e;

	call_begin(&s->call, 0);
	assert_int_equal(simulate->sign(instance_self(s->instance), &s->call, 0, 0, &r), PATCHBAY_OK);
	r.body = (patchbay_str){ xstrndup(r.body.p, r.body.n), r.body.n };
	assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
	assert_str(source_event(s, r.body)->key, "m1");
	free((void *)(uintptr_t)r.body.p);

	r.body = STR("{}");
	call_begin(&s->call, 0);
	assert_int_not_equal(simulate->sign(instance_self(s->instance), &s->call, 0, 0, &r), PATCHBAY_OK);

	r.body = source_sample_named(open, "badge_earned");
	call_begin(&open->call, 0);
	assert_int_equal(simulate->sign(instance_self(open->instance), &open->call, 0, 0, &r), PATCHBAY_OK);
	r.body = (patchbay_str){ xstrndup(r.body.p, r.body.n), r.body.n };
	assert_int_equal(source_verify(open, &r), PATCHBAY_OK);
	assert_int_equal(source_verify(s, &r), PATCHBAY_EDENIED);
	assert_why(s, "'signature' is missing");
	e = source_event(open, r.body);
	assert_int_equal(e->token.n, 50);
	free((void *)(uintptr_t)r.body.p);
	call_begin(&open->call, 0);
	assert_int_equal(simulate->sign(instance_self(open->instance), &open->call, PATCHBAY_SIGN_WRONG, 0, &r),
			 PATCHBAY_EUNSUPPORTED);
	assert_why(open, "webhook_key");
	source_close(open);
}

static void kinds_are_told_by_what_event_data_holds(void **state)
{
	static const struct {
		const char *data, *kind;
	} cases[] = {
		{ "{\"badge_id\":1}", "badge_earned" },
		{ "{\"course_id\":\"1\",\"score_is_known\":false}", "course_completed" },
		{ "{\"course_pack_id\":1}", "course_pack_completed" },
		{ "{\"level_id\":1,\"badge_id\":null}", "level_reached" },
		{ "{\"reward_id\":0}", "reward_redeemed" },
		{ "{\"ftp_log_id\":\"\"}", "ftp_job" },
		{ "{\"ftp_log_id\":null}", "unknown" },
		{ "{\"course_id\":1,\"badge_id\":1}", "unknown" },
		{ "{}", "unknown" },
		{ "null", "unknown" },
		{ "[{\"badge_id\":1}]", "unknown" },
		{ "\"badge_id\"", "unknown" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = xasprintf("{\"event_type\":\"x\",\"message_id\":1,\"event_data\":%s}", cases[i].data);
		const patchbay_event *e = source_event(*state, str_c(body));
		assert_str(e->kind, cases[i].kind);
		assert_str(e->type, "x");
		assert_str(e->key, "1");
		free(body);
	}
	assert_int_equal(
		!!(source_event(*state, STR("{\"event_data\":{\"badge_id\":1}}"))->flags & PATCHBAY_EVENT_TYPE_GUESSED),
		1);
	assert_str(source_event(*state, STR("{\"event_data\":{\"badge_id\":1}}"))->type, "unknown");
	/* a marker outside of event_data is none */
	assert_str(source_event(*state, STR("{\"badge_id\":1}"))->kind, "unknown");
}

static void identity_falls_back_to_token_and_then_to_the_bytes(void **state)
{
	struct source *s = *state;
	const patchbay_crypto_service *crypto = source_service(s, PATCHBAY_CRYPTO);
	const patchbay_event *e = source_event(s, STR("{\"message_id\":\"\",\"token\":\"t\"}"));
	char *want = xasprintf("t" US "%.*s", STR_ARG(crypto->sha256_hex(&s->call, e->data)));

	assert_str(e->key, want);
	assert_str(e->token, "t");
	free(want);
	e = source_event(s, STR("{\"message_id\":null}"));
	assert_str(e->key, "");
	assert_str(e->token, "");
	assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_KEY);
	e = source_event(s, STR("{\"message_id\":1744302113019687286,\"token\":\"t\"}"));
	assert_str(e->key, "1744302113019687286");
	e = source_event(s, STR("{\"message_id\":\"other\",\"token\":\"\\u0074\"}"));
	assert_str(e->token, "t"); /* the same, however it is spelled */
}

static void time_subject_and_test_flag_are_read_leniently(void **state)
{
	static const struct {
		const char *members, *time, *subject;
		uint32_t flags;
	} cases[] = {
		{ "\"event_time\":\"2025-11-18T14:03:26.4130000\"", "2025-11-18T14:03:26.413Z", "", 0 },
		{ "\"event_time\":\"2025-11-18 14:03:26\",\"timestamp\":1700000000", "2025-11-18T14:03:26Z", "", 0 },
		{ "\"event_time\":\"yesterday\",\"timestamp\":1700000000", "2023-11-14T22:13:20Z", "", 0 },
		{ "\"timestamp\":\"1700000000\",\"employee_id\":\"E1\",\"login_id\":\"l\"", "2023-11-14T22:13:20Z",
		  "user E1", 0 },
		{ "\"timestamp\":9999999999,\"employee_id\":\"\",\"login_id\":\"l\"", NULL, "user l", 0 },
		{ "\"timestamp\":17,\"employee_id\":42", NULL, "user 42", 0 },
		{ "\"employee_id\":null,\"login_id\":null,\"is_test_message\":true", NULL, "", PATCHBAY_EVENT_TEST },
		{ "\"is_test_message\":\"True\"", NULL, "", PATCHBAY_EVENT_TEST },
		{ "\"is_test_message\":false", NULL, "", 0 },
		{ "\"is_test_message\":null", NULL, "", 0 },
	};
	struct source *s = *state;
	const patchbay_time_service *time = source_service(s, PATCHBAY_TIME);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = xasprintf("{\"message_id\":1,%s}", cases[i].members);
		const patchbay_event *e = source_event(s, str_c(body));
		if (cases[i].time)
			assert_str(time->format(&s->call, e->time_ns), cases[i].time);
		else
			assert_int_equal(e->time_ns, 0);
		assert_str(e->subject, cases[i].subject);
		assert_int_equal(e->flags & PATCHBAY_EVENT_TEST, cases[i].flags);
		free(body);
	}
}

static void what_is_not_understood_is_said_and_emits_nothing(void **state)
{
	const patchbay_str bad[] = { STR(""),
				     STR("[]"),
				     STR("null"),
				     STR("1"),
				     STR("\"x\""),
				     STR("{"),
				     STR("{} // x"),
				     STR("[{\"message_id\":1}]"),
				     STR("{\xe2\x80\x9cMessage\xe2\x80\x9d: 1}") };
	struct source *s = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(source_parse(s, bad[i]), PATCHBAY_EMALFORMED);
		assert_int_equal(s->n_events, 0);
		assert_true(s->call.why.n > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accepts_the_signature_of_timestamp_and_token, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_the_signature_does_not_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(every_change_of_one_character_of_the_signature_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(old_and_future_messages_are_refused_within_reason, setup, teardown),
		cmocka_unit_test(a_key_is_changed_without_a_gap),
		cmocka_unit_test(without_a_key_the_url_is_all_and_the_operator_is_told),
		cmocka_unit_test_setup_teardown(every_sample_has_its_identity_time_and_subject, setup, teardown),
		cmocka_unit_test_setup_teardown(every_serial_is_an_event_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(each_try_is_signed_anew_and_stays_the_same_message, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_put_in_and_without_a_key_nothing_is_signed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(kinds_are_told_by_what_event_data_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(identity_falls_back_to_token_and_then_to_the_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(time_subject_and_test_flag_are_read_leniently, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_understood_is_said_and_emits_nothing, setup, teardown),
	};
	return cmocka_run_group_tests_name("motivate", tests, NULL, NULL);
}
