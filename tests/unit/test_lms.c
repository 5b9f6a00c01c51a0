#include "source_harness.h"

#include <ctype.h>

#define HEADER STR("x-ti-signature")
#define US "\x1f"

static const patchbay_cidr platform[] = { { { [10] = 0xff, 0xff, 54, 243, 7, 71 }, 128 },
					  { { [10] = 0xff, 0xff, 3, 83, 213, 76 }, 128 } };
static const patchbay_str secrets[] = { { "first", 5 }, { "second", 6 } };

static void allow(struct source *s, const patchbay_cidr *v, size_t n)
{
	*(patchbay_cidrs *)source_option(s, "allow_from") = (patchbay_cidrs){ v, n };
}

static struct source *open_with(const patchbay_cidr *v, size_t n)
{
	struct source *s = source_open("lms");

	allow(s, v, n);
	source_start(s);
	return s;
}

static int setup(void **state)
{
	*state = open_with(platform, 2);
	return 0;
}

static int teardown(void **state)
{
	source_close(*state);
	return 0;
}

static patchbay_request from4(patchbay_str body, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	patchbay_request r = source_request(body);

	memcpy(r.client_addr, cidr4(a, b, c, d, 32).addr, 16);
	r.client = STR("an address");
	return r;
}

static patchbay_status verify_from4(struct source *s, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	patchbay_request r = from4(STR("{}"), a, b, c, d);

	return source_verify(s, &r);
}

static patchbay_status verify_from6(struct source *s, const uint8_t addr[16])
{
	patchbay_request r = source_request(STR("{}"));

	memcpy(r.client_addr, addr, 16);
	r.client = STR("an address");
	return source_verify(s, &r);
}

/* ---- What proves a request */

static void the_platforms_addresses_are_the_default_and_all_others_are_refused(void **state)
{
	struct source *s = *state;
	const patchbay_option *option = s->plugin->source->options;

	assert_string_equal(option->name, "allow_from");
	assert_string_equal(option->def, "[54.243.7.71, 3.83.213.76]");
	assert_int_equal(verify_from4(s, 54, 243, 7, 71), PATCHBAY_OK);
	assert_why(s, "an address");
	assert_int_equal(verify_from4(s, 3, 83, 213, 76), PATCHBAY_OK);
	assert_int_equal(verify_from4(s, 54, 243, 7, 70), PATCHBAY_EDENIED);
	assert_why(s, "not in 'allow_from'");
	assert_why(s, "trusted_proxies");
	assert_int_equal(verify_from4(s, 127, 0, 0, 1), PATCHBAY_EDENIED);
	assert_int_equal(verify_from4(s, 71, 7, 243, 54), PATCHBAY_EDENIED);
	assert_int_equal(verify_from4(s, 0, 0, 0, 0), PATCHBAY_EDENIED);
	/* the same four bytes, but not as a mapped address */
	assert_int_equal(verify_from6(s, (const uint8_t[16]){ [12] = 54, 243, 7, 71 }), PATCHBAY_EDENIED);
	assert_int_equal(verify_from6(s, (const uint8_t[16]){ 54, 243, 7, 71 }), PATCHBAY_EDENIED);
}

static void every_change_of_one_bit_of_the_address_is_refused(void **state)
{
	patchbay_request r = from4(STR("{}"), 54, 243, 7, 71);

	for (size_t bit = 0; bit < 128; bit++) {
		r.client_addr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(source_verify(*state, &r), PATCHBAY_EDENIED);
		r.client_addr[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(source_verify(*state, &r), PATCHBAY_OK);
}

static void networks_and_ipv6_can_be_allowed(void **state)
{
	const patchbay_cidr nets[] = { cidr4(10, 1, 128, 0, 17), { { 0x20, 0x01, 0x0d, 0xb8, [5] = 0x10 }, 47 } };
	struct source *s = open_with(nets, 2);

	(void)state;
	assert_int_equal(verify_from4(s, 10, 1, 128, 0), PATCHBAY_OK);
	assert_int_equal(verify_from4(s, 10, 1, 255, 255), PATCHBAY_OK);
	assert_int_equal(verify_from4(s, 10, 1, 127, 255), PATCHBAY_EDENIED);
	assert_int_equal(verify_from4(s, 10, 2, 128, 0), PATCHBAY_EDENIED);
	assert_int_equal(verify_from6(s, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, [5] = 0x11, [15] = 1 }),
			 PATCHBAY_OK);
	assert_int_equal(verify_from6(s, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, [5] = 0x12 }), PATCHBAY_EDENIED);
	assert_int_equal(verify_from6(s, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb9, [5] = 0x10 }), PATCHBAY_EDENIED);
	source_close(s);
}

static void a_unix_socket_without_an_address_is_refused_unless_allowed(void **state)
{
	const patchbay_cidr all4[] = { cidr4(0, 0, 0, 0, 0) }, all[] = { { { 0 }, 0 } };
	patchbay_request r = source_request(STR("{}"));
	struct source *s;

	assert_int_equal(source_verify(*state, &r), PATCHBAY_EDENIED);
	assert_why(*state, "unix socket");
	assert_why(*state, "trusted_proxies");
	s = open_with(all4, 1);
	assert_int_equal(source_verify(s, &r), PATCHBAY_EDENIED);
	assert_int_equal(verify_from4(s, 9, 9, 9, 9), PATCHBAY_OK);
	source_close(s);
	s = open_with(all, 1);
	assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
	source_close(s);
}

static patchbay_status verify_signed(struct source *s, patchbay_str body, patchbay_str signature, uint32_t n)
{
	patchbay_kv headers[] = { { HEADER, signature }, { HEADER, signature } };
	patchbay_request r = from4(body, 54, 243, 7, 71);

	r.headers = headers;
	r.n_headers = n;
	return source_verify(s, &r);
}

static void a_signature_is_checked_where_there_is_a_secret(void **state)
{
	/* openssl dgst -sha256 -hmac second */
	char hex[] = "b4473de47df8f02f489f84f5a0f7c4e1f8ab2f9fea1ff7c54a2589d93d348b40", upper[65] = "";
	struct source *s = source_open("lms");
	patchbay_str body = STR("{\"a\":1}");
	patchbay_request r;

	/* no secret: not looked at */
	assert_int_equal(verify_signed(*state, body, STR("nonsense"), 1), PATCHBAY_OK);

	allow(s, platform, 2);
	source_secrets(s, "signing_secret", secrets, 2);
	source_start(s);
	for (size_t i = 0; i < 64; i++)
		upper[i] = (char)toupper((unsigned char)hex[i]);
	assert_int_equal(verify_signed(s, body, str_c(hex), 1), PATCHBAY_OK);
	assert_why(s, "secret 2 of 2");
	assert_int_equal(verify_signed(s, body, str_c(upper), 1), PATCHBAY_OK);
	assert_int_equal(verify_signed(s, STR("{\"a\":2}"), str_c(hex), 1), PATCHBAY_EDENIED);
	assert_why(s, "none of the configured secrets (2)");
	assert_int_equal(verify_signed(s, body, str_c(hex), 2), PATCHBAY_EDENIED);
	assert_why(s, "came 2 times");
	assert_int_equal(verify_signed(s, body, (patchbay_str){ hex, 63 }, 1), PATCHBAY_EDENIED);
	assert_why(s, "64 hex digits");
	assert_int_equal(verify_signed(s, body, STR(""), 1), PATCHBAY_EDENIED);
	/* it is not always sent */
	assert_int_equal(verify_signed(s, body, STR(""), 0), PATCHBAY_OK);
	/* and opens no door to other addresses */
	r = from4(body, 9, 9, 9, 9);
	r.headers = &(patchbay_kv){ HEADER, str_c(hex) };
	r.n_headers = 1;
	assert_int_equal(source_verify(s, &r), PATCHBAY_EDENIED);
	source_close(s);

	s = source_open("lms");
	allow(s, platform, 2);
	source_secrets(s, "signing_secret", secrets, 2);
	*(bool *)source_option(s, "require_signature") = true;
	source_start(s);
	assert_int_equal(verify_signed(s, body, str_c(hex), 1), PATCHBAY_OK);
	assert_int_equal(verify_signed(s, body, STR(""), 0), PATCHBAY_EDENIED);
	assert_why(s, "require_signature");
	source_close(s);
}

static void options_that_cannot_work_are_refused(void **state)
{
	const patchbay_str empty[] = { STR("") };
	struct source *s = source_open("lms");

	(void)state;
	source_start_fails(s, "allow_from");
	allow(s, platform, 2);
	*(bool *)source_option(s, "require_signature") = true;
	source_start_fails(s, "signing_secret");
	source_secrets(s, "signing_secret", empty, 1);
	source_start_fails(s, "'signing_secret' is empty");
	source_close(s);
}

/* ---- Events */

static const struct {
	const char *sample, *type, *kind, *subject, *time, *key;
	uint32_t guess;
} documented[] = {
	{ "course_completed", "course_completed", "course_completed", "user 61149b2c-3f37-5032-be63-f5d984de10b6",
	  "2019-10-17T20:50:53.103Z", "32ed16df-27cb-5f72-90ff-4eaf39346f86" US "2019-10-17T20:50:53.103Z", 0 },
	{ "course_completed-2019", "course_completed", "course_completed", "user 61149b2c-3f37-5032-be63-f5d984de10b6",
	  "2019-10-17T20:50:53.103Z", "32ed16df-27cb-5f72-90ff-4eaf39346f86" US "2019-10-17T20:50:53.103Z", 0 },
	{ "learning_path_completed", "learning_path_completed", "learning_path_completed",
	  "user e58d3ac9-6c41-4b7d-8e03-6a9e5b8cf9c2", "2025-11-13T16:26:44.600Z",
	  "4f6d1a40-5f5b-4e88-b0d3-0f6e8d4c1a11" US "2025-11-13T16:26:44.600Z", 0 },
	{ "quiz_attempt", "quiz", "quiz_attempt", "user d9c8b7a6-5e4d-4c3b-8a9f-0e1d2c3b4a5f",
	  "2025-12-12T20:01:44.187Z", "7f7cb9b4-7b2f-4a1a-9f1e-3a7d9e3c2f40" US "2025-12-12T20:01:44.187Z", 1 },
	{ "learning_path_other", "learner", "learning_path_other", "user e58d3ac9-6c41-4b7d-8e03-6a9e5b8cf9c2",
	  "2025-11-13T16:20:03.215Z", "8a1c52e7-0d7e-4f0a-9a55-5a0c1f7d3b26" US "2025-11-13T16:20:03.215Z", 0 },
};

static void every_documented_event_has_its_identity_time_and_subject(void **state)
{
	struct source *s = *state;
	const patchbay_time_service *time = source_service(s, PATCHBAY_TIME);

	assert_int_equal(source_simulate(s)->n_samples, sizeof(documented) / sizeof(documented[0]));
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
		patchbay_str body = source_sample_named(s, documented[i].sample);
		char *path = xasprintf("%s/plugins/lms/samples/%s.json", SOURCE_DIR, documented[i].sample);
		const patchbay_event *e = source_event(s, body);
		assert_is_file(body, path);
		assert_str(e->type, documented[i].type);
		assert_str(e->kind, documented[i].kind);
		assert_str(e->subject, documented[i].subject);
		assert_str(e->key, documented[i].key);
		assert_str(time->format(&s->call, e->time_ns), documented[i].time);
		assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_KEY);
		assert_int_equal(e->flags, documented[i].guess ? PATCHBAY_EVENT_TYPE_GUESSED : 0);
		assert_true(str_eq(e->data, body));
		free(path);
	}
}

static void every_serial_is_an_event_of_its_own_and_a_retry_is_the_same(void **state)
{
	static const uint64_t serials[] = { 0, 1, 2, 86400 * 365, UINT64_C(0x8000000000000001), UINT64_MAX };
	enum { N = sizeof(serials) / sizeof(serials[0]) };
	struct source *s = *state;

	for (uint32_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
		char *keys[N];
		for (size_t n = 0; n < N; n++) {
			patchbay_str body;
			char *copy = source_sample(s, i, serials[n], &body);
			const patchbay_event *e = source_event(s, body);
			keys[n] = xstrndup(e->key.p, e->key.n);
			assert_str(e->kind, documented[i].kind);
			assert_true(e->time_ns > 0);
			assert_int_equal(strcspn(keys[n], US), 36); /* still shaped like a UUID */
			assert_str(source_event(s, body)->key, keys[n]);
			for (size_t earlier = 0; earlier < n; earlier++)
				assert_string_not_equal(keys[earlier], keys[n]);
			free(copy);
		}
		for (size_t n = 0; n < N; n++)
			free(keys[n]);
	}
}

static void what_is_played_is_accepted_and_signed_wrongly_it_is_not(void **state)
{
	struct source *s = source_open("lms");
	const patchbay_simulate *simulate;
	patchbay_request r;

	allow(s, platform, 2);
	source_secrets(s, "signing_secret", secrets, 2);
	source_start(s);
	simulate = source_simulate(s);
	for (uint32_t i = 0; i < simulate->n_samples; i++) {
		struct patchbay_call call;
		patchbay_str body;
		char *copy = source_sample(s, i, 5, &body);
		call_init(&call, 1 << 20);
		call_begin(&call, 0);
		r = from4(body, 54, 243, 7, 71);
		assert_int_equal(simulate->sign(instance_self(s->instance), &call, 0, 0, &r), PATCHBAY_OK);
		assert_int_equal(r.n_headers, 1);
		assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
		assert_why(s, "secret 1 of 2");
		assert_int_equal(simulate->sign(instance_self(s->instance), &call, PATCHBAY_SIGN_WRONG, 0, &r),
				 PATCHBAY_OK);
		assert_int_equal(source_verify(s, &r), PATCHBAY_EDENIED);
		call_fini(&call);
		free(copy);
	}
	source_close(s);

	/* without a secret there is nothing to add, and nothing to get wrong */
	s = *state;
	r = from4(STR("{}"), 54, 243, 7, 71);
	call_begin(&s->call, 0);
	assert_int_equal(simulate->sign(instance_self(s->instance), &s->call, 0, 0, &r), PATCHBAY_OK);
	assert_int_equal(r.n_headers, 0);
	assert_int_equal(simulate->sign(instance_self(s->instance), &s->call, PATCHBAY_SIGN_WRONG, 0, &r),
			 PATCHBAY_EUNSUPPORTED);
	assert_why(s, "signing_secret");
}

static void kinds_are_told_apart(void **state)
{
	static const struct {
		const char *body, *type, *kind;
		uint32_t guess;
	} cases[] = {
		{ "{\"event\":\"courseCompletion\"}", "courseCompletion", "course_completed", 0 },
		{ "{\"source\":\"course_completed\"}", "course_completed", "course_completed", 0 },
		{ "{\"source\":\"learner\",\"learningPathTitle\":null}", "learner", "learning_path_other", 0 },
		{ "{\"source\":null,\"event\":null,\"topicType\":\"assessment\",\"topic\":\"x\",\"questions\":[]}",
		  "assessment", "quiz_attempt", 1 },
		{ "{\"topicType\":\"video\",\"topic\":\"x\"}", "video", "unknown", 1 },
		{ "{\"source\":\"enrolled\",\"topicType\":\"quiz\",\"topic\":\"x\",\"questions\":[]}", "enrolled",
		  "unknown", 0 },
		{ "{\"event\":\"course.completed\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"data\":{\"id\":\"x\"}}",
		  "course.completed", "unknown", 0 },
		{ "{\"source\":{},\"event\":[]}", "unknown", "unknown", 1 },
		{ "{}", "unknown", "unknown", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const patchbay_event *e = source_event(*state, str_c(cases[i].body));
		assert_str(e->type, cases[i].type);
		assert_str(e->kind, cases[i].kind);
		assert_int_equal(!!(e->flags & PATCHBAY_EVENT_TYPE_GUESSED), cases[i].guess);
		assert_str(e->key, ""); /* no id: the bytes */
		assert_str(e->subject, "");
	}
}

static void the_key_is_id_and_timestamp(void **state)
{
	const patchbay_crypto_service *crypto = source_service(*state, PATCHBAY_CRYPTO);
	struct source *s = *state;
	const patchbay_event *e =
		source_event(s, STR("{\"id\":17,\"timestamp\":\"never\",\"user\":\"a@example.edu\"}"));
	char *key;

	assert_str(e->key, "17" US "never");
	assert_str(e->subject, "user a@example.edu");
	assert_int_equal(e->time_ns, 0);
	e = source_event(s, STR("{\"id\":\"17\",\"timestamp\":1763700000}"));
	assert_str(e->key, "17" US "1763700000");
	assert_int_equal(e->time_ns, 0);
	e = source_event(s, STR("{\"id\":\"17\",\"timestamp\":null}"));
	key = xasprintf("17" US "%.*s", STR_ARG(crypto->sha256_hex(&s->call, e->data)));
	assert_str(e->key, key);
	free(key);
	/* completed again after a reset: the same id at another time */
	e = source_event(s, STR("{\"id\":\"17\",\"timestamp\":\"2020-01-01T00:00:00Z\"}"));
	assert_str(e->key, "17" US "2020-01-01T00:00:00Z");
}

static void what_is_not_understood_is_said_and_emits_nothing(void **state)
{
	const patchbay_str bad[] = { STR(""),        STR("[]"),           STR("null"),
				     STR("1"),       STR("\"x\""),        STR("{"),
				     STR("{} // x"), STR("[{\"id\":1}]"), STR("{\"a\":\"\xff\"}") };
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
		cmocka_unit_test_setup_teardown(the_platforms_addresses_are_the_default_and_all_others_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(every_change_of_one_bit_of_the_address_is_refused, setup, teardown),
		cmocka_unit_test(networks_and_ipv6_can_be_allowed),
		cmocka_unit_test_setup_teardown(a_unix_socket_without_an_address_is_refused_unless_allowed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_signature_is_checked_where_there_is_a_secret, setup, teardown),
		cmocka_unit_test(options_that_cannot_work_are_refused),
		cmocka_unit_test_setup_teardown(every_documented_event_has_its_identity_time_and_subject, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_serial_is_an_event_of_its_own_and_a_retry_is_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_played_is_accepted_and_signed_wrongly_it_is_not, setup,
						teardown),
		cmocka_unit_test_setup_teardown(kinds_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(the_key_is_id_and_timestamp, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_understood_is_said_and_emits_nothing, setup, teardown),
	};
	return cmocka_run_group_tests_name("lms", tests, NULL, NULL);
}
