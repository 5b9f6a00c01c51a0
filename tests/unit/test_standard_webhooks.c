/* The standard-webhooks plugin, against the test vectors that the specification's own libraries publish. */
#include "plugin/services.h"
#include "source_harness.h"

#define SECRET "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_SECRET "c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="
#define MSG_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SENT "1614265330"
#define SENT_NS (INT64_C(1614265330) * NS_PER_S_)
#define BODY "{\"test\": 2432232314}"
#define V1 "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define OTHER_V1 "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
#define SEED "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
#define PUBLIC_KEY "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g="       /* of the seed, by openssl pkey -pubout */
#define OTHER_PUBLIC_KEY "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" /* RFC 8032, 7.1, test 1 */
#define V1A "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="

static struct source *open_with(const char *secret, const char *public_key)
{
	static patchbay_str all[8][2]; /* as long as the sources that a test has at once */
	static size_t n;
	patchbay_str *given = all[n++ % 8];
	struct source *s = source_open("standard-webhooks");

	given[0] = str_c(secret);
	given[1] = str_c(public_key);
	source_secrets(s, "secret", &given[0], secret != NULL);
	source_secrets(s, "public_key", &given[1], public_key != NULL);
	*(int64_t *)source_option(s, "tolerance") = 300000;
	*(patchbay_str *)source_option(s, "subject") = STR("subject|data.id");
	return s;
}

static int setup(void **state)
{
	struct source *s = open_with("whsec_" SECRET, PUBLIC_KEY);

	source_start(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	source_close(*state);
	return 0;
}

struct message { /* headers that are NULL are not there */
	const char *id, *timestamp, *signature;
	patchbay_str body;
	int64_t received_ns;
	patchbay_kv headers[8];
	patchbay_request request;
};

static struct message message(const char *signature)
{
	return (struct message){ MSG_ID, SENT, signature, STR(BODY), SENT_NS, { { { NULL, 0 }, { NULL, 0 } } }, { 0 } };
}

static const patchbay_request *make(struct message *m)
{
	const char *const names[] = { "webhook-id", "webhook-timestamp", "webhook-signature" };
	const char *const values[] = { m->id, m->timestamp, m->signature };

	m->request = source_request(m->body);
	m->request.received_ns = m->received_ns;
	m->request.headers = m->headers;
	for (size_t i = 0; i < 3; i++)
		if (values[i])
			m->headers[m->request.n_headers++] = (patchbay_kv){ str_c(names[i]), str_c(values[i]) };
	return &m->request;
}

static patchbay_status verify(struct source *s, struct message m)
{
	return source_verify(s, make(&m));
}

static patchbay_status verify_signed(struct source *s, const char *signature)
{
	return verify(s, message(signature));
}

/* ---- What proves a request */

static void the_published_vectors_are_genuine(void **state)
{
	struct source *s = *state, *bare = open_with(SECRET, PUBLIC_KEY + strlen("whpk_"));

	source_start(bare); /* the prefixes are for people */
	assert_int_equal(verify_signed(s, V1), PATCHBAY_OK);
	assert_why(s, "HMAC-SHA256, secret 1 of 1");
	assert_int_equal(verify_signed(s, V1A), PATCHBAY_OK);
	assert_why(s, "ed25519, public key 1 of 1");
	assert_int_equal(verify_signed(bare, V1), PATCHBAY_OK);
	assert_int_equal(verify_signed(bare, V1A), PATCHBAY_OK);
	source_close(bare);
}

static void the_public_key_is_that_of_the_published_seed(void **state)
{
	struct source *s = *state;
	patchbay_str seed, text;

	call_begin(&s->call, 0);
	assert_true(crypto_service.unbase64(&s->call, STR(SEED), &seed));
	text = crypto_service.base64(&s->call, ed25519_service.public_key(&s->call, seed));
	assert_str(text, PUBLIC_KEY + strlen("whpk_"));
}

static void any_change_is_refused(void **state)
{
	static const char *const signatures[] = { V1, V1A };
	struct source *s = *state;

	for (size_t v = 0; v < 2; v++) {
		for (size_t i = 0; i < strlen(BODY) * 8; i++) {
			char body[] = BODY;
			struct message m = message(signatures[v]);
			body[i / 8] = (char)(body[i / 8] ^ 1 << i % 8);
			m.body.p = body;
			assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		}
		for (size_t i = 0; i < strlen(MSG_ID); i++) {
			char id[] = MSG_ID;
			struct message m = message(signatures[v]);
			id[i] = (char)(id[i] ^ 1);
			m.id = id;
			assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		}
		struct message m = message(signatures[v]);
		m.timestamp = "1614265331"; /* near enough, but not what was signed */
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		m = message(signatures[v]);
		m.body.n--;
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		m.body = STR("");
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		m = message(signatures[1 - v]);
		m.signature = replaced(str_c(signatures[v]), v ? "v1a," : "v1,", v ? "v1," : "v1a,");
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED); /* of the one version under the name of the other */
		free((void *)(uintptr_t)m.signature);
	}
}

#define FOUR_OTHERS OTHER_V1 " " OTHER_V1 " " OTHER_V1 " " OTHER_V1 " "

static void one_good_signature_among_others_is_enough(void **state)
{
	static const char *const good[] = {
		OTHER_V1 " " V1,
		V1 " " OTHER_V1,
		OTHER_V1 " v2,x v1 v1, ,, " V1 " v1,!",
		"v1a,AAAA " V1A,
		OTHER_V1 " " V1A,
		"  " V1 "  ",
		OTHER_V1 " " OTHER_V1 " " OTHER_V1 " " V1,
		"v1a,AAAA v1a,AAAA v1a,AAAA " V1A,
		FOUR_OTHERS FOUR_OTHERS FOUR_OTHERS V1,
	};
	static const char *const bad[] = {
		OTHER_V1,
		"v1,",
		"v1a,",
		"v1",
		" ",
		"v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",  /* no padding */
		"v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", /* of the other alphabet */
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1A==", /* cut */
		V1 "," OTHER_V1,
		/* nobody sends so many */
		FOUR_OTHERS FOUR_OTHERS FOUR_OTHERS FOUR_OTHERS V1,
		"v1a,AAAA v1a,AAAA v1a,AAAA v1a,AAAA " V1A,
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (verify_signed(*state, good[i]) != PATCHBAY_OK)
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (verify_signed(*state, bad[i]) != PATCHBAY_EDENIED)
			fail_msg("taken: %s", bad[i]);
}

static void each_header_must_be_there_once(void **state)
{
	struct source *s = *state;

	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "webhook-id", "webhook-timestamp", "webhook-signature" };
		char *twice = xasprintf("%s came 2 times", names[i]), *none = xasprintf("no %s header", names[i]);
		struct message m = message(V1);
		*(i == 0 ? &m.id : i == 1 ? &m.timestamp : &m.signature) = NULL;
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		assert_why(s, none);
		*(i == 0 ? &m.id : i == 1 ? &m.timestamp : &m.signature) = "";
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		assert_why(s, none);
		m = message(V1);
		make(&m);
		m.headers[3] = m.headers[i]; /* the same again is too much, too */
		m.request.n_headers = 4;
		assert_int_equal(source_verify(s, &m.request), PATCHBAY_EDENIED);
		assert_why(s, twice);
		free(twice);
		free(none);
	}
}

static void an_id_with_a_full_stop_is_refused(void **state)
{
	struct message m = message(V1);

	/* the same bytes are signed, cut elsewhere */
	m.id = MSG_ID ".1614265330";
	m.timestamp = "{";
	assert_int_equal(verify(*state, m), PATCHBAY_EDENIED);
	assert_why(*state, "webhook-id has a '.'");
}

static void the_time_must_be_near(void **state)
{
	static const char *const bad[] = { "x",    "-1614265330", "+1614265330",   "1614265330.0",       "1614265330s",
					   "0x60", "1614265330 ", "1614265330000", "9223372036854775808" };
	static const struct {
		int64_t off_s;
		patchbay_status wanted;
	} cases[] = { { 300, PATCHBAY_OK },
		      { -300, PATCHBAY_OK },
		      { 301, PATCHBAY_EDENIED },
		      { -301, PATCHBAY_EDENIED },
		      { 1000000, PATCHBAY_EDENIED } };
	struct source *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message m = message(i % 2 ? V1 : V1A);
		m.received_ns += cases[i].off_s * NS_PER_S_;
		assert_int_equal(verify(s, m), cases[i].wanted);
	}
	assert_why(s, "webhook-timestamp is 1000000 s before the time of arrival, 'tolerance' is 300 s");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct message m = message(V1);
		m.timestamp = bad[i];
		assert_int_equal(verify(s, m), PATCHBAY_EDENIED);
		assert_why(s, "webhook-timestamp is not a number of seconds");
	}
}

static void a_secret_can_be_changed(void **state)
{
	static const patchbay_str both[] = { { OTHER_SECRET, sizeof(OTHER_SECRET) - 1 },
					     { "whsec_" SECRET, sizeof("whsec_" SECRET) - 1 } };
	static const patchbay_str keys[] = { { OTHER_PUBLIC_KEY, sizeof(OTHER_PUBLIC_KEY) - 1 },
					     { PUBLIC_KEY, sizeof(PUBLIC_KEY) - 1 } };
	struct source *s = open_with(NULL, NULL);

	(void)state;
	source_secrets(s, "secret", both, 2);
	source_secrets(s, "public_key", keys, 2);
	source_start(s);
	assert_int_equal(verify_signed(s, V1), PATCHBAY_OK);
	assert_why(s, "secret 2 of 2");
	assert_int_equal(verify_signed(s, V1A), PATCHBAY_OK);
	assert_why(s, "public key 2 of 2");
	assert_int_equal(verify_signed(s, OTHER_V1), PATCHBAY_EDENIED);
	assert_why(s, "webhook-signature matches none of the configured secrets (2): compare 'secret' with the "
		      "webhook's at the provider");
	source_close(s);
}

static void it_says_what_is_missing_to_check_a_signature(void **state)
{
	struct source *secret = open_with(SECRET, NULL), *key = open_with(NULL, PUBLIC_KEY);

	(void)state;
	source_start(secret);
	source_start(key);
	assert_int_equal(verify_signed(secret, V1A), PATCHBAY_EDENIED);
	assert_why(secret, "v1 takes a 'secret', v1a a 'public_key'");
	assert_int_equal(verify_signed(key, V1), PATCHBAY_EDENIED);
	assert_why(key, "v1 takes a 'secret', v1a a 'public_key'");
	assert_int_equal(verify_signed(key, "v1a," SEED), PATCHBAY_EDENIED);
	assert_why(key, "none of the configured public keys (1)");
	source_close(secret);
	source_close(key);
}

static void options_that_cannot_work_are_refused(void **state)
{
	static const struct {
		const char *secret, *public_key, *why;
	} cases[] = {
		{ NULL, NULL, "neither 'secret' nor 'public_key'" },
		{ "", NULL, "'secret' is empty" },
		{ "whsec_", NULL, "'secret' is empty" },
		{ "whsec_hunter2", NULL, "'secret' is not base64 (number 1 of 1)" },
		{ "whpk_" SECRET, NULL, "'secret' is not base64" },
		{ "whsec_ " SECRET, NULL, "'secret' is not base64" },
		{ SECRET, "whpk_", "'public_key' has 0 bytes" },
		{ SECRET, "whpk_hunter2", "'public_key' is not base64" },
		{ NULL, SECRET, "'public_key' has 24 bytes (number 1 of 1), an ed25519 key has 32" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source *s = open_with(cases[i].secret, cases[i].public_key);
		const patchbay_source *side = s->plugin->source;
		struct err err = { "" };
		source_start_fails(s, cases[i].why);
		assert_null(instance_create(s->plugin, false, "test", s->options, NULL, &err));
		assert_null(strstr(err.text, "hunter2"));
		assert_non_null(side->check);
		source_close(s);
	}
}

/* ---- Events */

static patchbay_status parse(struct source *s, const char *id, patchbay_str body)
{
	const patchbay_emitter emitter = { s, source_emit };
	struct message m = message(V1);

	m.id = id;
	m.body = body;
	make(&m);
	arena_reset(&s->kept);
	s->n_events = 0;
	call_begin(&s->call, 0);
	return s->plugin->source->parse(instance_self(s->instance), &s->call, &m.request, &emitter);
}

static void a_body_says_type_time_and_subject(void **state)
{
	static const struct {
		const char *body, *type, *subject, *time;
		uint32_t guess;
	} cases[] = {
		{ "{\"type\":\"a.b\",\"timestamp\":\"2022-11-03T20:26:10.344522Z\",\"data\":{\"id\":\"x\"}}", "a.b",
		  "x", "2022-11-03T20:26:10.344522Z", 0 },
		{ "{\"type\":\"a\",\"time\":\"2022-11-03T20:26:10Z\",\"subject\":\"vehicle "
		  "1\",\"data\":{\"id\":\"x\"}}",
		  "a", "vehicle 1", "2022-11-03T20:26:10Z", 0 },
		{ "{\"type\":\"a\",\"timestamp\":1667507170,\"data\":{\"id\":12345678901234567890}}", "a",
		  "12345678901234567890", "", 0 },
		{ "{\"type\":null,\"timestamp\":\"yesterday\",\"data\":[]}", "unknown", "", "", 1 },
		{ "{\"type\":{\"id\":1},\"subject\":{}}", "unknown", "", "", 1 },
		{ " {} ", "unknown", "", "", 1 },
	};
	struct source *s = *state;
	const patchbay_time_service *time = source_service(s, PATCHBAY_TIME);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(s, "msg_1", str_c(cases[i].body)), PATCHBAY_OK);
		assert_int_equal(s->n_events, 1);
		const patchbay_event *e = &s->events[0];
		assert_str(e->type, cases[i].type);
		assert_str(e->kind, "");
		assert_str(e->subject, cases[i].subject);
		assert_str(e->time_ns ? time->format(&s->call, e->time_ns) : STR(""), cases[i].time);
		assert_int_equal(e->flags, cases[i].guess ? PATCHBAY_EVENT_TYPE_GUESSED : 0);
		assert_str(e->data, cases[i].body);
		assert_str(e->token, "");
	}
}

static void the_id_names_the_event(void **state)
{
	struct source *s = *state;

	assert_int_equal(parse(s, "msg_1", STR("{\"type\":\"a\"}")), PATCHBAY_OK);
	assert_str(s->events[0].key, "msg_1");
	assert_int_equal(s->events[0].dedupe, PATCHBAY_DEDUPE_KEY);
	assert_int_equal(parse(s, "msg_2", STR("{\"type\":\"a\"}")), PATCHBAY_OK);
	assert_str(s->events[0].key, "msg_2");
}

static void what_it_is_about_can_be_configured(void **state)
{
	static const struct {
		const char *paths, *subject;
	} cases[] = { { "data.user.id", "u1" }, { "data.nothing|data.list.1", "b" }, { "", "" }, { "|..|", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source *s = open_with(SECRET, NULL);
		*(patchbay_str *)source_option(s, "subject") = str_c(cases[i].paths);
		source_start(s);
		assert_int_equal(parse(s, "x", STR("{\"data\":{\"user\":{\"id\":\"u1\"},\"list\":[\"a\",\"b\"]}}")),
				 PATCHBAY_OK);
		assert_str(s->events[0].subject, cases[i].subject);
		source_close(s);
	}
}

static void what_is_not_understood_is_said_and_emits_nothing(void **state)
{
	char *long_type = xasprintf("{\"type\":\"%0256d\"}", 1);
	const patchbay_str bad[] = { STR(""),         STR("[]"),     STR("null"),
				     STR("{"),        STR("<xml/>"), STR("{\"a\":\"\xff\"}"),
				     str_c(long_type) };
	struct source *s = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(s, "msg_1", bad[i]), PATCHBAY_EMALFORMED);
		assert_int_equal(s->n_events, 0);
		assert_true(s->call.why.n > 0);
	}
	free(long_type);
}

/* ---- Playing the provider */

static const struct {
	const char *sample, *type, *subject, *time;
} played[] = {
	{ "contact_created", "contact.created", "5b0e7c1a-93d4-4f6e-8a27-d1c06f5b9e38", "2026-03-02T08:15:30.250Z" },
	{ "invoice_paid", "invoice.paid", "inv_20260302_0017", "2026-03-02T09:00:00Z" },
	{ "cloudevent", "fault_code_opened", "vehicle 1201", "2026-03-02T07:44:12Z" },
};
#define N_PLAYED (sizeof(played) / sizeof(played[0]))

static void every_sample_has_its_type_time_and_subject(void **state)
{
	struct source *s = *state;
	const patchbay_time_service *time = source_service(s, PATCHBAY_TIME);

	assert_int_equal(source_simulate(s)->n_samples, N_PLAYED);
	for (size_t i = 0; i < N_PLAYED; i++) {
		patchbay_str body = source_sample_named(s, played[i].sample);
		char *path = xasprintf("%s/plugins/standard-webhooks/samples/%s.json", SOURCE_DIR, played[i].sample);
		assert_is_file(body, path);
		assert_int_equal(parse(s, "msg_1", body), PATCHBAY_OK);
		assert_str(s->events[0].type, played[i].type);
		assert_str(s->events[0].subject, played[i].subject);
		assert_str(time->format(&s->call, s->events[0].time_ns), played[i].time);
		free(path);
	}
}

static const patchbay_request *play(struct source *s, patchbay_call *call, patchbay_str body, uint32_t flags,
				    uint32_t try_, patchbay_request *r)
{
	*r = source_request(body);
	r->received_ns += try_ * 60 * NS_PER_S_;
	call_begin(call, 0);
	assert_int_equal(source_simulate(s)->sign(instance_self(s->instance), call, flags, try_, r), PATCHBAY_OK);
	return r;
}

static void what_is_played_is_accepted_and_signed_wrongly_it_is_not(void **state)
{
	struct source *s = *state;
	patchbay_call call;

	call_init(&call, 1 << 20);
	for (uint32_t i = 0; i < N_PLAYED; i++) {
		patchbay_request r;
		patchbay_str body;
		char *copy = source_sample(s, i, 5, &body);
		assert_int_equal(source_verify(s, play(s, &call, body, 0, 0, &r)), PATCHBAY_OK);
		assert_why(s, "HMAC-SHA256, secret 1 of 1");
		assert_int_equal(source_verify(s, play(s, &call, body, PATCHBAY_SIGN_WRONG, 0, &r)), PATCHBAY_EDENIED);
		assert_why(s, "none of the configured secrets");
		free(copy);
	}
	call_fini(&call);
}

static void every_try_has_the_id_of_the_first_and_a_time_of_its_own(void **state)
{
	struct source *s = *state;
	patchbay_call calls[3];
	patchbay_request first, again, other;
	patchbay_str one, two;
	char *copies[] = { source_sample(s, 0, 5, &one), source_sample(s, 0, 6, &two) };

	for (size_t i = 0; i < 3; i++)
		call_init(&calls[i], 1 << 20);
	play(s, &calls[0], one, 0, 0, &first);
	play(s, &calls[1], one, 0, 1, &again);
	play(s, &calls[2], two, 0, 0, &other);
	assert_true(str_eq(first.headers[0].value, again.headers[0].value));
	assert_false(str_eq(first.headers[1].value, again.headers[1].value));
	assert_false(str_eq(first.headers[2].value, again.headers[2].value));
	assert_false(str_eq(first.headers[0].value, other.headers[0].value));
	assert_int_equal(source_verify(s, &again), PATCHBAY_OK);
	for (size_t i = 0; i < 3; i++)
		call_fini(&calls[i]);
	free(copies[0]);
	free(copies[1]);
}

static void with_a_public_key_alone_nobody_can_sign(void **state)
{
	struct source *s = open_with(NULL, PUBLIC_KEY);
	patchbay_request r = source_request(STR("{}"));

	(void)state;
	source_start(s);
	assert_int_equal(source_simulate(s)->sign(instance_self(s->instance), &s->call, 0, 0, &r),
			 PATCHBAY_EUNSUPPORTED);
	assert_why(s, "only 'public_key' is configured");
	source_close(s);
}

int main(void)
{
#define WITH_BOTH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_BOTH(the_published_vectors_are_genuine),
		WITH_BOTH(the_public_key_is_that_of_the_published_seed),
		WITH_BOTH(any_change_is_refused),
		WITH_BOTH(one_good_signature_among_others_is_enough),
		WITH_BOTH(each_header_must_be_there_once),
		WITH_BOTH(an_id_with_a_full_stop_is_refused),
		WITH_BOTH(the_time_must_be_near),
		cmocka_unit_test(a_secret_can_be_changed),
		cmocka_unit_test(it_says_what_is_missing_to_check_a_signature),
		cmocka_unit_test(options_that_cannot_work_are_refused),
		WITH_BOTH(a_body_says_type_time_and_subject),
		WITH_BOTH(the_id_names_the_event),
		cmocka_unit_test(what_it_is_about_can_be_configured),
		WITH_BOTH(what_is_not_understood_is_said_and_emits_nothing),
		WITH_BOTH(every_sample_has_its_type_time_and_subject),
		WITH_BOTH(what_is_played_is_accepted_and_signed_wrongly_it_is_not),
		WITH_BOTH(every_try_has_the_id_of_the_first_and_a_time_of_its_own),
		cmocka_unit_test(with_a_public_key_alone_nobody_can_sign),
	};
	return cmocka_run_group_tests_name("standard-webhooks", tests, NULL, NULL);
}
