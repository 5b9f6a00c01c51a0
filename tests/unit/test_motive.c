#include "source_harness.h"

#include <ctype.h>

/* The example of Motive's manual; its openssl and Ruby lines have the two swapped. */
#define SECRET "d9d36bea41c44ae49d1bfc4a48ba2abe"
#define EXAMPLE "[\"fault_code_closed\"]"
#define EXAMPLE_SIGNATURE "f04a8386a21a6cba0447024e83b3f0983352bb72"
#define HEADER STR("x-kt-webhook-signature")
#define US "\x1f"

static const patchbay_str secret = { SECRET, sizeof(SECRET) - 1 };

static struct source *open_with(const patchbay_str *secrets, size_t n)
{
	struct source *s = source_open("motive");

	source_secrets(s, "secret", secrets, n);
	source_start(s);
	return s;
}

static int setup(void **state)
{
	*state = open_with(&secret, 1);
	return 0;
}

static int teardown(void **state)
{
	source_close(*state);
	return 0;
}

static patchbay_status verify_signed(struct source *s, patchbay_str body, patchbay_str signature)
{
	patchbay_kv headers[] = { { STR("host"), STR("example.com") }, { HEADER, signature } };
	patchbay_request r = source_request(body);

	r.headers = headers;
	r.n_headers = 2;
	return source_verify(s, &r);
}

/* Expects exactly this many parts; "#" stands for the SHA-256 of the event's data. */
static void assert_key(struct source *s, const patchbay_event *e, const char *want)
{
	const patchbay_crypto_service *crypto = source_service(s, PATCHBAY_CRYPTO);
	patchbay_str hash = crypto->sha256_hex(&s->call, e->data);
	const char *mark = strchr(want, '#');
	char *key = mark ? xasprintf("%.*s%.*s", (int)(mark - want), want, STR_ARG(hash)) : xstrdup(want);

	assert_str(e->key, key);
	free(key);
}

/* ---- What proves a request */

static void accepts_the_documented_vectors(void **state)
{
	static const struct {
		const char *body, *signature;
	} vectors[] = {
		{ EXAMPLE, EXAMPLE_SIGNATURE },
		{ "[vehicle_location_updated]", "b2f6972b75df821d2e152939a016ce1f67f04e0b" },
		{ "[\"vehicle_location_updated\"]", "2b7ff37fedef4a86725f11b5b76dbfca68bf4d57" },
		{ "", "7f6869b12e52894302cc949ee742fd02ae3449b9" },
		{ "{}", "f353b38d924efff21162e425af08293d7ff0bc04" },
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		patchbay_str body = str_c(vectors[i].body);
		char upper[41];
		assert_int_equal(verify_signed(*state, body, str_c(vectors[i].signature)), PATCHBAY_OK);
		assert_why(*state, "HMAC-SHA1, secret 1 of 1");
		for (size_t c = 0; c <= 40; c++)
			upper[c] = (char)toupper((unsigned char)vectors[i].signature[c]);
		assert_int_equal(verify_signed(*state, body, str_c(upper)), PATCHBAY_OK);
	}
}

static void refuses_the_swapped_example_of_the_manual(void **state)
{
	static const patchbay_str swapped = { EXAMPLE_SIGNATURE, 40 };
	struct source *s;

	/* signed with what is the signature */
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR("7395d181ea84dc0dd2b2b62a00fc2c8a1f54d010")),
			 PATCHBAY_EDENIED);
	/* the secret sent as the signature, with the signature configured as the secret */
	s = open_with(&swapped, 1);
	assert_int_equal(verify_signed(s, STR(EXAMPLE), STR(SECRET)), PATCHBAY_EDENIED);
	assert_int_equal(verify_signed(s, STR(EXAMPLE), STR(EXAMPLE_SIGNATURE)), PATCHBAY_EDENIED);
	source_close(s);
	/* the secret is text, not the bytes that its hex digits mean; and every byte of the body counts */
	assert_int_equal(verify_signed(*state, STR(EXAMPLE "\n"), STR(EXAMPLE_SIGNATURE)), PATCHBAY_EDENIED);
}

static void refuses_headers_that_are_missing_doubled_or_misshapen(void **state)
{
	patchbay_kv twice[] = { { HEADER, STR(EXAMPLE_SIGNATURE) }, { HEADER, STR(EXAMPLE_SIGNATURE) } };
	patchbay_request r = source_request(STR(EXAMPLE));

	assert_int_equal(source_verify(*state, &r), PATCHBAY_EDENIED);
	assert_why(*state, "no X-KT-Webhook-Signature header");
	r.headers = twice;
	r.n_headers = 2;
	assert_int_equal(source_verify(*state, &r), PATCHBAY_EDENIED);
	assert_why(*state, "came 2 times");
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR("")), PATCHBAY_EDENIED);
	assert_why(*state, "0 characters");
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR("f04a8386a21a6cba0447024e83b3f0983352bb7")),
			 PATCHBAY_EDENIED);
	assert_why(*state, "39 characters");
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR(EXAMPLE_SIGNATURE "72")), PATCHBAY_EDENIED);
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR("sha1=" EXAMPLE_SIGNATURE)), PATCHBAY_EDENIED);
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR("g04a8386a21a6cba0447024e83b3f0983352bb72")),
			 PATCHBAY_EDENIED);
	assert_why(*state, "other characters");
	assert_int_equal(verify_signed(*state, STR(EXAMPLE), STR("004a8386a21a6cba0447024e83b3f0983352bb72")),
			 PATCHBAY_EDENIED);
	assert_why(*state, "none of the configured secrets (1)");
}

static void a_secret_is_changed_without_a_gap(void **state)
{
	const patchbay_str both[] = { STR("the new one"), secret };
	const patchbay_str other[] = { STR("the new one"), STR("another") };
	char new_name[] = "env NEW", old_name[] = "file /etc/patchbay/old.key";
	struct config_secret names[] = { { .option = "secret", .name = new_name },
					 { .option = "secret", .index = 1, .name = old_name } };
	struct source *s = open_with(both, 2);

	(void)state;
	assert_int_equal(verify_signed(s, STR(EXAMPLE), STR(EXAMPLE_SIGNATURE)), PATCHBAY_OK);
	assert_why(s, "secret 2 of 2");
	s->secrets = (struct config_secrets){ names, 2 };
	assert_int_equal(verify_signed(s, STR(EXAMPLE), STR(EXAMPLE_SIGNATURE)), PATCHBAY_OK);
	assert_why(s, "HMAC-SHA1, secret 2 of 2 (file /etc/patchbay/old.key)");
	source_close(s);
	s = open_with(other, 2);
	assert_int_equal(verify_signed(s, STR(EXAMPLE), STR(EXAMPLE_SIGNATURE)), PATCHBAY_EDENIED);
	assert_why(s, "none of the configured secrets (2)");
	source_close(s);
}

static void cannot_be_made_without_a_secret(void **state)
{
	const patchbay_str empty[] = { secret, STR("") };
	struct source *s = source_open("motive");

	(void)state;
	source_start_fails(s, "'secret'");
	source_secrets(s, "secret", empty, 2);
	source_start_fails(s, "number 2 of 2");
	source_secrets(s, "secret", empty + 1, 1);
	source_start_fails(s, "empty");
	source_close(s);
}

static void refuses_every_change_of_one_byte(void **state)
{
	char *body = xstrndup(EXAMPLE, sizeof(EXAMPLE) - 1), hex[] = EXAMPLE_SIGNATURE;
	patchbay_str text = { body, sizeof(EXAMPLE) - 1 }, signature = { hex, 40 };

	for (size_t i = 0; i < text.n; i++) {
		for (int c = 0; c < 256; c++) {
			char was = body[i];
			body[i] = (char)c;
			assert_int_equal(verify_signed(*state, text, signature),
					 body[i] == was ? PATCHBAY_OK : PATCHBAY_EDENIED);
			body[i] = was;
		}
	}
	for (size_t i = 0; i < signature.n; i++) {
		for (int c = 0; c < 256; c++) {
			char was = hex[i];
			bool same = tolower((unsigned char)was) == tolower(c);
			hex[i] = (char)c;
			assert_int_equal(verify_signed(*state, text, signature), same ? PATCHBAY_OK : PATCHBAY_EDENIED);
			hex[i] = was;
		}
	}
	for (text.n = 0; text.n < sizeof(EXAMPLE) - 1; text.n++)
		assert_int_equal(verify_signed(*state, text, signature), PATCHBAY_EDENIED);
	free(body);
}

/* ---- Test requests */

static void a_test_request_is_a_test_event_in_either_form(void **state)
{
	const patchbay_str forms[] = { STR("[vehicle_location_updated]"), STR("[\"vehicle_location_updated\"]"),
				       STR("\n [ \"a\", \"b\" ] "), STR("[fault_code_closed]\r\n"),
				       STR(" [ fault_code_opened ]\n") };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const patchbay_event *e = source_event(*state, forms[i]);
		assert_str(e->type, "ping");
		assert_int_equal(e->flags, PATCHBAY_EVENT_TEST | PATCHBAY_EVENT_TYPE_GUESSED);
		assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_NONE);
		assert_int_equal(e->time_ns, 0);
		assert_true(str_eq(e->data, forms[i]));
	}
}

static void an_unsigned_test_request_is_refused_unless_allowed_and_never_has_an_effect(void **state)
{
	patchbay_request ping = source_request(STR("[vehicle_location_updated]"));
	patchbay_request event = source_request(STR("{\"action\": \"x\", \"a\": [\"vehicle_location_updated\"]}"));
	struct source *s = source_open("motive");
	char *large = xcalloc(1, 2001);

	assert_int_equal(source_verify(*state, &ping), PATCHBAY_EDENIED);
	source_secrets(s, "secret", &secret, 1);
	*(bool *)source_option(s, "accept_unsigned_ping") = true;
	source_start(s);
	assert_int_equal(source_verify(s, &ping), PATCHBAY_REPLY);
	ping.body = STR("[\"vehicle_location_updated\"]");
	assert_int_equal(source_verify(s, &ping), PATCHBAY_REPLY);
	assert_int_equal(source_verify(s, &event), PATCHBAY_EDENIED);
	ping.body = STR("[{\"action\": \"vehicle_location_updated\"}]");
	assert_int_equal(source_verify(s, &ping), PATCHBAY_EDENIED);
	ping.body = STR("");
	assert_int_equal(source_verify(s, &ping), PATCHBAY_EDENIED);
	ping.body = STR("[]");
	assert_int_equal(source_verify(s, &ping), PATCHBAY_EDENIED);
	/* a signature that is there must be right */
	assert_int_equal(verify_signed(s, STR("[vehicle_location_updated]"), STR(EXAMPLE_SIGNATURE)), PATCHBAY_EDENIED);
	memset(large, 'a', 2000);
	large[0] = '[';
	large[1999] = ']';
	ping.body = (patchbay_str){ large, 2000 };
	assert_int_equal(source_verify(s, &ping), PATCHBAY_EDENIED);
	free(large);
	source_close(s);
}

/* ---- Events */

static const struct {
	const char *sample, *type, *subject, *time, *key;
	uint32_t dedupe;
} documented[] = {
	{ "vehicle_location_updated", "vehicle_location_updated", "vehicle 123", "2017-01-01T12:00:00Z",
	  "vehicle_location_updated" US "5d3d5cf6-501f-4566-ad07-a80c05c743a7", PATCHBAY_DEDUPE_KEY },
	{ "vehicle_location_received", "vehicle_location_received", "vehicle 123", "2017-01-01T12:00:00Z",
	  "vehicle_location_received" US "5d3d5cf6-501f-4566-ad07-a80c05c743a7", PATCHBAY_DEDUPE_KEY },
	{ "vehicle_upserted", "vehicle_upserted", "vehicle 123", NULL, "vehicle_upserted" US "123",
	  PATCHBAY_DEDUPE_LATEST },
	{ "user_upserted", "user_upserted", "user 123", NULL, "user_upserted" US "123", PATCHBAY_DEDUPE_LATEST },
	{ "fault_code_opened", "fault_code_opened", "vehicle 1", "2017-01-05T12:45:33Z",
	  "fault_code_opened" US "123" US "2017-01-05T12:45:33Z", PATCHBAY_DEDUPE_KEY },
	{ "fault_code_closed", "fault_code_closed", "vehicle 1", NULL,
	  "fault_code_closed" US "123" US "2017-01-05T12:45:33Z", PATCHBAY_DEDUPE_KEY },
	{ "inspection_report_upserted", "inspection_report_upserted", "vehicle 1", "2017-01-03T15:23:22Z",
	  "inspection_report_upserted" US "123" US "created" US "#", PATCHBAY_DEDUPE_KEY },
	{ "hos_violation_upserted", "hos_violation_upserted", "user 1", "2017-01-04T17:23:00Z",
	  "hos_violation_upserted" US "123" US "updated" US "#", PATCHBAY_DEDUPE_KEY },
	{ "vehicle_geofence_event", "vehicle_geofence_event", "vehicle 740263", "2021-10-12T19:30:45Z",
	  "vehicle_geofence_event" US "45055326" US "geofence_exit", PATCHBAY_DEDUPE_KEY },
	{ "asset_geofence_event", "asset_geofence_event", "asset 220", "2021-10-12T13:43:19Z",
	  "asset_geofence_event" US "3123212" US "geofence_exit", PATCHBAY_DEDUPE_KEY },
	{ "engine_toggle_event", "engine_toggle_event", "vehicle 123", NULL, "engine_toggle_event" US "vehicle 123",
	  PATCHBAY_DEDUPE_UNANSWERED },
	{ "engine_toggle_event_off", "engine_toggle_event", "vehicle 123", NULL, "engine_toggle_event" US "vehicle 123",
	  PATCHBAY_DEDUPE_UNANSWERED },
	{ "driver_performance_event_created", "driver_performance_event_created", "vehicle 12", "2023-04-12T01:28:11Z",
	  "driver_performance_event_created" US "123", PATCHBAY_DEDUPE_KEY },
	{ "driver_performance_event_updated", "driver_performance_event_updated", "vehicle 12", "2023-04-12T01:28:11Z",
	  "driver_performance_event_updated" US "123" US "#", PATCHBAY_DEDUPE_KEY },
	{ "speeding_event_created", "speeding_event_created", "vehicle 12", "2023-04-17T13:46:04Z",
	  "speeding_event_created" US "435681", PATCHBAY_DEDUPE_KEY },
	{ "speeding_event_updated", "speeding_event_updated", "vehicle 12", "2023-04-17T13:46:04Z",
	  "speeding_event_updated" US "435681" US "#", PATCHBAY_DEDUPE_KEY },
};

static void assert_time(struct source *s, const patchbay_event *e, const char *want)
{
	const patchbay_time_service *time = source_service(s, PATCHBAY_TIME);

	if (want)
		assert_str(time->format(&s->call, e->time_ns), want);
	else
		assert_int_equal(e->time_ns, 0);
}

static void every_documented_event_has_its_identity_time_and_subject(void **state)
{
	struct source *s = *state;

	assert_int_equal(source_simulate(s)->n_samples, sizeof(documented) / sizeof(documented[0]) + 2);
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
		patchbay_str body = source_sample_named(s, documented[i].sample);
		char *path = xasprintf("%s/plugins/motive/samples/%s.json", SOURCE_DIR, documented[i].sample);
		const patchbay_event *e = source_event(s, body);
		assert_is_file(body, path);
		assert_str(e->type, documented[i].type);
		assert_str(e->kind, "");
		assert_str(e->subject, documented[i].subject);
		assert_int_equal(e->flags, 0);
		assert_int_equal(e->dedupe, documented[i].dedupe);
		assert_true(str_eq(e->data, body));
		assert_time(s, e, documented[i].time);
		assert_key(s, e, documented[i].key);
		free(path);
	}
}

static void every_serial_is_an_event_of_its_own_and_a_retry_is_the_same(void **state)
{
	static const uint64_t serials[] = { 0, 1, 2, 1000000, UINT64_C(0x8000000000000001), UINT64_MAX };
	enum { N = sizeof(serials) / sizeof(serials[0]) };
	struct source *s = *state;

	for (uint32_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
		char *keys[N];
		for (size_t n = 0; n < N; n++) {
			patchbay_str body;
			char *copy = source_sample(s, i, serials[n], &body);
			const patchbay_event *e = source_event(s, body);
			keys[n] = xstrndup(e->key.p, e->key.n);
			assert_str(e->type, documented[i].type);
			assert_int_equal(e->time_ns != 0, documented[i].time != NULL);
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
	const patchbay_str both[] = { STR("first"), STR("second") };
	struct source *s = open_with(both, 2);
	const patchbay_simulate *simulate = source_simulate(s);

	(void)state;
	for (uint32_t i = 0; i < simulate->n_samples; i++) {
		for (uint64_t serial = 0; serial < 2; serial++) {
			patchbay_kv old[] = { { STR("user-agent"), STR("x") }, { HEADER, STR("of the last try") } };
			patchbay_str body;
			char *copy = source_sample(s, i, serial, &body);
			patchbay_request r = source_request(body);
			struct patchbay_call call;
			call_init(&call, 1 << 20);
			call_begin(&call, 0);
			r.headers = old;
			r.n_headers = 2;
			assert_int_equal(simulate->sign(instance_self(s->instance), &call, 0, 0, &r), PATCHBAY_OK);
			assert_int_equal(r.n_headers, 2);
			assert_int_equal(source_verify(s, &r), PATCHBAY_OK);
			assert_why(s, "secret 1 of 2");
			assert_int_equal(simulate->sign(instance_self(s->instance), &call, PATCHBAY_SIGN_WRONG, 1, &r),
					 PATCHBAY_OK);
			assert_int_equal(source_verify(s, &r), PATCHBAY_EDENIED);
			assert_why(s, "none of the configured secrets (2)");
			call_fini(&call);
			free(copy);
		}
	}
	source_close(s);
}

static void actions_of_the_second_version_are_known(void **state)
{
	const patchbay_event *e =
		source_event(*state, STR("{\"action\":\"user_duty_status_updated\",\"id\":7,\"duty_status\":"
					 "\"driving\",\"trigger\":\"updated\",\"updated_at\":"
					 "\"2024-05-01T10:00:00Z\"}"));
	assert_str(e->subject, "user 7");
	assert_time(*state, e, "2024-05-01T10:00:00Z");
	assert_key(*state, e, "user_duty_status_updated" US "7" US "2024-05-01T10:00:00Z");
	e = source_event(
		*state,
		STR("{\"action\":\"form_entry_upserted\",\"id\":\"1744302113019687286\",\"trigger\":\"created\","
		    "\"created_at\":\"2024-05-01T10:00:00Z\",\"entered_at\":null}"));
	assert_time(*state, e, "2024-05-01T10:00:00Z");
	assert_key(*state, e, "form_entry_upserted" US "1744302113019687286" US "created" US "#");
}

static void entry_and_exit_of_one_visit_are_two_events(void **state)
{
	patchbay_str body = source_sample_named(*state, "vehicle_geofence_event");
	char *entry = replaced(body, "geofence_exit", "geofence_entry"),
	     *neither = replaced(body, "event_type", "other");
	char *open = replaced(body, "\"end_time\": \"2021-10-12T19:30:45Z\"", "\"end_time\": null");
	const patchbay_event *e = source_event(*state, str_c(entry));

	assert_time(*state, e, "2021-10-12T02:53:15Z");
	assert_key(*state, e, "vehicle_geofence_event" US "45055326" US "geofence_entry");
	/* without what tells them apart, the bytes do */
	e = source_event(*state, str_c(neither));
	assert_key(*state, e, "vehicle_geofence_event" US "45055326" US US "#");
	assert_int_equal(source_event(*state, str_c(open))->time_ns, 0);
	free(entry);
	free(neither);
	free(open);
}

static void when_something_was_deleted_is_not_known(void **state)
{
	patchbay_str body = source_sample_named(*state, "hos_violation_upserted");
	char *deleted = replaced(body, "\"trigger\": \"updated\"", "\"trigger\": \"deleted\"");
	const patchbay_event *e = source_event(*state, str_c(deleted));

	assert_int_equal(e->time_ns, 0);
	assert_key(*state, e, "hos_violation_upserted" US "123" US "deleted" US "#");
	free(deleted);
}

static void ids_are_text_whatever_their_type_and_size(void **state)
{
	static const struct {
		const char *id, *key;
	} cases[] = {
		{ "123", "speeding_event_created" US "123" },
		{ "\"123\"", "speeding_event_created" US "123" },
		{ "3328319009", "speeding_event_created" US "3328319009" },
		{ "1744302113019687286", "speeding_event_created" US "1744302113019687286" },
		{ "17443021130196872861744302113019687286",
		  "speeding_event_created" US "17443021130196872861744302113019687286" },
		{ "\"a\\u001fb\"", "speeding_event_created" US "a\\u001fb" },
		{ "0", "speeding_event_created" US "0" },
	};
	static const char *const none[] = { "null", "\"\"", "\"nil\"", "true", "[1]", "{\"id\":1}" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = xasprintf("{\"action\":\"speeding_event_created\",\"id\":%s}", cases[i].id);
		const patchbay_event *e = source_event(*state, str_c(body));
		assert_str(e->key, cases[i].key);
		assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_KEY);
		free(body);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		char *body = xasprintf("{\"action\":\"speeding_event_created\",\"id\":%s,\"vehicle_id\":9}", none[i]);
		const patchbay_event *e = source_event(*state, str_c(body));
		assert_str(e->key, "speeding_event_created" US "vehicle 9");
		assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_UNANSWERED);
		free(body);
	}
}

static void the_vehicle_is_found_wherever_it_stands(void **state)
{
	static const struct {
		const char *members, *subject;
	} cases[] = {
		{ "\"vehicle_id\":1,\"vehicle\":{\"id\":2}", "vehicle 1" },
		{ "\"vehicle\":{\"id\":\"2\"}", "vehicle 2" },
		{ "\"current_vehicle\":{\"ID\":3,\"Number\":\"x\"}", "vehicle 3" },
		{ "\"vehicle_id\":\"nil\",\"current_vehicle\":{\"id\":4}", "vehicle 4" },
		{ "\"vehicle_id\":null,\"Vehicle_ID\":null,\"vehicle\":{},\"driver_id\":5", "user 5" },
		{ "\"current_driver\":{\"id\":6}", "user 6" },
		{ "\"vehicle_id\":{},\"driver\":[]", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = xasprintf("{\"action\":\"speeding_event_created\",\"id\":1,%s}", cases[i].members);
		assert_str(source_event(*state, str_c(body))->subject, cases[i].subject);
		free(body);
	}
}

static void the_action_alone_is_the_type(void **state)
{
	const patchbay_event *e = source_event(*state, STR("{\"event_type\":\"geofence_exit\",\"type\":\"hard_brake\","
							   "\"action\":\"ai_coach_recap_created\",\"id\":1}"));

	assert_str(e->type, "ai_coach_recap_created");
	assert_int_equal(!!(e->flags & PATCHBAY_EVENT_TYPE_GUESSED), 0);
	assert_key(*state, e, "ai_coach_recap_created" US "1" US "#");
	assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_KEY);
	/* no id: the subject, and its bytes */
	e = source_event(*state, STR("{\"action\":\"vehicle_gateway_disconnected\",\"vehicle\":{\"id\":8}}"));
	assert_str(e->key, "vehicle_gateway_disconnected" US "vehicle 8");
	assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_UNANSWERED);
	/* written with escapes it is the same action */
	e = source_event(*state, STR("{\"action\":\"speeding_event\\u005fcreated\",\"id\":1}"));
	assert_str(e->type, "speeding_event_created");
	/* none, or none that can be one */
	e = source_event(*state, STR("{\"id\":3,\"type\":\"hard_brake\"}"));
	assert_str(e->type, "unknown");
	assert_int_equal(!!(e->flags & PATCHBAY_EVENT_TYPE_GUESSED), 1);
	assert_key(*state, e, "unknown" US "3" US "#");
	e = source_event(*state, STR("{\"action\":17}"));
	assert_str(e->type, "unknown");
	e = source_event(*state, STR("{\"action\":{\"id\":5,\"vehicle_id\":1}}"));
	assert_str(e->type, "unknown");
	assert_str(e->subject, "");
	e = source_event(*state, STR("{\"action\":\"\"}"));
	assert_str(e->type, "unknown");
}

static void wrapped_events_are_looked_into_and_kept_whole(void **state)
{
	patchbay_str body = STR("{\"event\": {\"action\":\"speeding_event_created\",\"id\":11,\"vehicle_id\":12,"
				"\"start_time\":\"2023-04-17T13:46:04Z\"}}");
	const patchbay_event *e = source_event(*state, body);

	assert_str(e->type, "speeding_event_created");
	assert_str(e->subject, "vehicle 12");
	assert_int_equal(!!(e->flags & PATCHBAY_EVENT_TYPE_GUESSED), 0);
	assert_time(*state, e, "2023-04-17T13:46:04Z");
	assert_true(str_eq(e->data, body));
	assert_key(*state, e, "speeding_event_created" US "11");

	e = source_event(*state, STR("{\"driver_performance_event\":{\"id\":11}}"));
	assert_str(e->type, "driver_performance_event");
	assert_int_equal(!!(e->flags & PATCHBAY_EVENT_TYPE_GUESSED), 1);
	assert_key(*state, e, "driver_performance_event" US "11" US "#");
	/* the wrapper's name is an action */
	e = source_event(*state, STR("{\"vehicle_upserted\":{\"id\":11}}"));
	assert_str(e->type, "vehicle_upserted");
	assert_int_equal(!!(e->flags & PATCHBAY_EVENT_TYPE_GUESSED), 0);
	assert_int_equal(e->dedupe, PATCHBAY_DEDUPE_LATEST);
	/* an action outside counts, not the one inside */
	e = source_event(*state, STR("{\"action\":\"x\",\"event\":{\"action\":\"speeding_event_created\",\"id\":11}}"));
	assert_str(e->type, "x");
	/* two members are no wrapper */
	e = source_event(*state, STR("{\"event\":{\"action\":\"speeding_event_created\",\"id\":11},\"id\":4}"));
	assert_str(e->type, "unknown");
	assert_key(*state, e, "unknown" US "4" US "#");
}

static void an_array_of_objects_is_one_event_each(void **state)
{
	struct source *s = *state;
	patchbay_str body = STR("[ {\"action\":\"engine_toggle_event\",\"trigger\":\"on\",\"vehicle_id\":1} ,\n"
				"{\"action\":\"engine_toggle_event\",\"trigger\":\"on\",\"vehicle_id\":1}, {},"
				"{\"action\":\"speeding_event_created\",\"id\":5},{\"action\":\"new_one\",\"id\":5}]");

	assert_int_equal(source_parse(s, body), PATCHBAY_OK);
	assert_int_equal(s->n_events, 4);
	assert_str(s->events[0].data, "{\"action\":\"engine_toggle_event\",\"trigger\":\"on\",\"vehicle_id\":1}");
	assert_str(s->events[0].key, "engine_toggle_event" US "vehicle 1" US "[0]");
	assert_str(s->events[1].key, "engine_toggle_event" US "vehicle 1" US "[1]");
	assert_str(s->events[2].key, "speeding_event_created" US "5");
	assert_key(s, &s->events[3], "new_one" US "5" US "#");
	assert_str(s->events[3].data, "{\"action\":\"new_one\",\"id\":5}");
}

static void nothing_said_is_no_event(void **state)
{
	const patchbay_str empty[] = { STR(""), STR(" \r\n"), STR("{}"), STR(" { }\n"), STR("[]"), STR("[{},{}]") };
	struct source *s = *state;

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		assert_int_equal(source_parse(s, empty[i]), PATCHBAY_OK);
		assert_int_equal(s->n_events, 0);
	}
}

static void what_is_not_understood_is_said_and_emits_nothing(void **state)
{
	const patchbay_str bad[] = {
		STR("null"),
		STR("17"),
		STR("\"text\""),
		STR("[1,2]"),
		STR("[\"a\",{}]"),
		STR("[{},\"a\"]"),
		STR("[[]]"),
		STR("[null]"),
		STR("[true]"),
		STR("[123]"),
		STR("{\"action\":\"x\""),
		STR("{\"action\":\"x\"} x"),
		STR("{\"driver_company_id\", \"1223\"}"),
		STR("{\"a\":1} // comment"),
		STR("[two words]"),
		STR("[a,b]"),
		STR("[]]"),
		STR("[a]]"),
		STR("[\"a]"),
		STR("["),
		STR("]"),
		STR("\xef\xbb\xbf{\"action\":\"x\"}"),
		STR("{\"action\":\"\xff\"}"),
		STR("{\"action\":\"\\ud800\"}"),
		STR("\0"),
		STR("[\0]"),
	};
	struct source *s = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (source_parse(s, bad[i]) != PATCHBAY_EMALFORMED)
			fail_msg("'%.*s' was understood", STR_ARG(bad[i]));
		assert_int_equal(s->n_events, 0);
		assert_true(s->call.why.n > 0);
	}
}

static void deep_long_and_odd_json_does_no_harm(void **state)
{
	struct source *s = *state;
	struct buf buf = { NULL, 0, 0 };
	const patchbay_event *e;

	for (int i = 0; i < 100000; i++)
		buf_addf(&buf, "[");
	assert_int_equal(source_parse(s, buf_str(&buf)), PATCHBAY_EMALFORMED);
	buf.n = 0;
	buf_addf(&buf, "[");
	for (int i = 0; i < 5000; i++)
		buf_addf(&buf, "%s\"%d\"", i ? "," : "", i);
	buf_addf(&buf, "]");
	assert_int_equal(source_parse(s, buf_str(&buf)), PATCHBAY_EMALFORMED);
	assert_why(s, "5000 elements");
	buf.n = 0;
	buf_addf(&buf, "[");
	for (int i = 0; i <= EVENTS_MAX; i++)
		buf_addf(&buf, "%s{\"action\":\"x\",\"id\":%d}", i ? "," : "", i);
	buf_addf(&buf, "]");
	assert_int_equal(source_parse(s, buf_str(&buf)), PATCHBAY_ENOMEM); /* the host's limit is handed on */
	buf_free(&buf);

	/* the last of two members counts, in every part of the event */
	e = source_event(s, STR("{\"action\":\"a\",\"id\":1,\"action\":\"speeding_event_created\",\"id\":2}"));
	assert_str(e->key, "speeding_event_created" US "2");
	e = source_event(s, STR("{\"action\":\"x\\u0000y\",\"id\":1e400,\"start_time\":{}}"));
	assert_int_equal(e->type.n, 3);
	e = source_event(s, STR("{\"action\":\"speeding_event_created\",\"id\":1,\"start_time\":\"nil\"}"));
	assert_int_equal(e->time_ns, 0);
	e = source_event(s, STR("{\"\":{\"id\":1}}"));
	assert_str(e->type, "unknown");
	e = source_event(s, STR("{\"a\\\"b\":{\"action\":\"x\"}}"));
	assert_str(e->type, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accepts_the_documented_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_the_swapped_example_of_the_manual, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_headers_that_are_missing_doubled_or_misshapen, setup, teardown),
		cmocka_unit_test(a_secret_is_changed_without_a_gap),
		cmocka_unit_test(cannot_be_made_without_a_secret),
		cmocka_unit_test_setup_teardown(refuses_every_change_of_one_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(a_test_request_is_a_test_event_in_either_form, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_unsigned_test_request_is_refused_unless_allowed_and_never_has_an_effect, setup, teardown),
		cmocka_unit_test_setup_teardown(every_documented_event_has_its_identity_time_and_subject, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_serial_is_an_event_of_its_own_and_a_retry_is_the_same, setup,
						teardown),
		cmocka_unit_test(what_is_played_is_accepted_and_signed_wrongly_it_is_not),
		cmocka_unit_test_setup_teardown(actions_of_the_second_version_are_known, setup, teardown),
		cmocka_unit_test_setup_teardown(entry_and_exit_of_one_visit_are_two_events, setup, teardown),
		cmocka_unit_test_setup_teardown(when_something_was_deleted_is_not_known, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_are_text_whatever_their_type_and_size, setup, teardown),
		cmocka_unit_test_setup_teardown(the_vehicle_is_found_wherever_it_stands, setup, teardown),
		cmocka_unit_test_setup_teardown(the_action_alone_is_the_type, setup, teardown),
		cmocka_unit_test_setup_teardown(wrapped_events_are_looked_into_and_kept_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(an_array_of_objects_is_one_event_each, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_said_is_no_event, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_understood_is_said_and_emits_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(deep_long_and_odd_json_does_no_harm, setup, teardown),
	};
	return cmocka_run_group_tests_name("motive", tests, NULL, NULL);
}
