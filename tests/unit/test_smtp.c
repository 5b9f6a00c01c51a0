/* The smtp plugin without a server: what it takes in routes.yaml, what it would send, what it refuses before it
 * connects. */
#include "fake_host.h"

#include <patchbay/idle.h>
#include <patchbay/preview.h>

#include <arpa/inet.h>
#include <unistd.h>

#define EVENTS_MAX 8

struct rig {
	struct registry *registry;
	const patchbay_plugin *plugin;
	void *options;
	patchbay_str to[4], domains[4];
	struct instance *instance;
	patchbay_call call;
	char text[8192]; /* the last preview, or why there is none */
	patchbay_result results[EVENTS_MAX];
};

static void *option(struct rig *rig, const char *name)
{
	return sink_option(rig->plugin, rig->options, name);
}

static void set_str(struct rig *rig, const char *name, const char *value)
{
	*(patchbay_str *)option(rig, name) = str_c(value);
}

static void set_expr(const patchbay_expr **field, enum expr_form form, const char *program)
{
	expr_free((patchbay_expr *)(uintptr_t)*field);
	*field = program ? compile(form, program) : NULL;
}

static void set_text(struct rig *rig, const char *name, const char *text)
{
	set_expr(option(rig, name), EXPR_TEXT, text);
}

/* NULL-terminated. */
static void set_to(struct rig *rig, const char *const *addresses)
{
	patchbay_strs_expr *to = option(rig, "to");
	set_expr(&to->expr, EXPR_PROGRAM, NULL);
	to->strs = (patchbay_strs){ rig->to, 0 };
	for (; *addresses; addresses++)
		rig->to[to->strs.n++] = str_c(*addresses);
}

static void set_to_expr(struct rig *rig, const char *program)
{
	patchbay_strs_expr *to = option(rig, "to");
	to->strs.n = 0;
	set_expr(&to->expr, EXPR_PROGRAM, program);
}

static void set_domains(struct rig *rig, const char *const *domains)
{
	size_t n = 0;
	for (; domains[n]; n++)
		rig->domains[n] = str_c(domains[n]);
	*(patchbay_strs *)option(rig, "allow_domains") = (patchbay_strs){ rig->domains, n };
}

#define SET_TO(rig, ...) set_to(rig, (const char *const[]){ __VA_ARGS__, NULL })
#define SET_DOMAINS(rig, ...) set_domains(rig, (const char *const[]){ __VA_ARGS__, NULL })

static int setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));
	rig->plugin = load_plugin("smtp", &rig->registry);
	rig->options = xcalloc(1, rig->plugin->sink->options_size);
	call_init(&rig->call, 1 << 20);
	call_begin(&rig->call, 0);
	set_str(rig, "server", "smtps://mail.example.edu:465");
	set_str(rig, "from", "Fleet desk <fleet@example.edu>");
	set_text(rig, "subject", "Fault \\(.data.code)");
	set_text(rig, "text", "\\(.data.note)");
	SET_TO(rig, "desk@example.edu");
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	if (rig->instance)
		instance_destroy(rig->instance);
	set_to_expr(rig, NULL);
	set_text(rig, "subject", NULL);
	set_text(rig, "text", NULL);
	set_text(rig, "html", NULL);
	call_fini(&rig->call);
	registry_destroy(rig->registry);
	free(rig->options);
	free(rig);
	return 0;
}

static void start(struct rig *rig)
{
	struct err err = { "" };
	rig->instance = instance_create(rig->plugin, true, "mail", rig->options, NULL, &err);
	if (!rig->instance)
		fail_msg("%s", err.text);
}

static patchbay_delivery event(const char *id, const char *data)
{
	return (patchbay_delivery){ .size = sizeof(patchbay_delivery),
				    .attempt = 1,
				    .id = str_c(id),
				    .source = STR("fleet"),
				    .plugin = STR("yard"),
				    .type = STR("fault_code_opened"),
				    .kind = STR("fault_code_opened"),
				    .subject = STR(""),
				    .data = str_c(data),
				    .time_ns = NOON_NS,
				    .received_ns = NOON_NS,
				    .route = STR("routes.yaml:41"),
				    .details = STR(""),
				    .details_error = STR("") };
}

static patchbay_status preview(struct rig *rig, const patchbay_delivery *events, size_t n)
{
	const patchbay_delivery *list[EVENTS_MAX];
	const patchbay_preview *extension = rig->plugin->sink->extension(PATCHBAY_PREVIEW);
	patchbay_str out = { "", 0 };
	for (size_t i = 0; i < n; i++)
		list[i] = &events[i];
	if (!rig->instance)
		start(rig);
	call_begin(&rig->call, 0);
	patchbay_status status = extension->preview(instance_self(rig->instance), &rig->call, list, n, &out);
	if (status != PATCHBAY_OK)
		out = rig->call.why;
	snprintf(rig->text, sizeof(rig->text), "%.*s", STR_ARG(out));
	return status;
}

static void act(struct rig *rig, const patchbay_delivery *events, size_t n)
{
	const patchbay_delivery *list[EVENTS_MAX];
	patchbay_str checkpoint = { "", 0 };
	for (size_t i = 0; i < n; i++) {
		list[i] = &events[i];
		rig->results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, STR("") };
	}
	if (!rig->instance)
		start(rig);
	call_begin(&rig->call, 5000);
	rig->plugin->sink->act(instance_self(rig->instance), &rig->call, list, n, rig->results, &checkpoint);
	patchbay_str why = rig->results[0].why.n ? rig->results[0].why : rig->call.why;
	snprintf(rig->text, sizeof(rig->text), "%.*s", STR_ARG(why));
}

static void assert_says(const struct rig *rig, const char *part)
{
	if (!strstr(rig->text, part))
		fail_msg("'%s' lacks '%s'", rig->text, part);
}

/* ---- What it takes */

/* check() must refuse, and say why. */
static void refuses(struct rig *rig, const char *part)
{
	call_begin(&rig->call, 0);
	assert_int_equal(rig->plugin->sink->check(instance_host(rig->instance), &rig->call, rig->options),
			 PATCHBAY_ECONFIG);
	snprintf(rig->text, sizeof(rig->text), "%.*s", STR_ARG(rig->call.why));
	assert_says(rig, part);
}

static void accepts(struct rig *rig)
{
	call_begin(&rig->call, 0);
	if (rig->plugin->sink->check(instance_host(rig->instance), &rig->call, rig->options) != PATCHBAY_OK)
		fail_msg("%.*s", STR_ARG(rig->call.why));
}

static void takes_a_server_and_nothing_else(void **state)
{
	static const char *const bad[] = { "mail.example.edu",
					   "http://mail.example.edu",
					   "smtp://",
					   "smtp://u:p@mail.example.edu",
					   "smtp://mail.example.edu/x",
					   "smtp://mail.example.edu?x",
					   "smtp://a b",
					   "smtp://a:",
					   "smtp://a:1x",
					   "smtp://a:123456",
					   "smtp://[::1",
					   "smtp://a\r\nQUIT",
					   "SMTPX://a",
					   "smtp://a#b" };
	static const char *const good[] = { "smtp://a", "smtp://a:587", "smtps://mail.example.edu/",
					    "smtps://[::1]:465", "smtp://192.0.2.7:25" };
	struct rig *rig = *state;
	start(rig);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_str(rig, "server", bad[i]);
		refuses(rig, "'server'");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		set_str(rig, "server", good[i]);
		accepts(rig);
	}
}

static void checks_rules_across_options(void **state)
{
	struct rig *rig = *state;
	start(rig);
	accepts(rig);
	set_str(rig, "username", "fleet");
	refuses(rig, "without a password");
	set_str(rig, "password", "x\ny");
	refuses(rig, "line break");
	set_str(rig, "password", "x");
	accepts(rig);
	set_str(rig, "username", "");
	refuses(rig, "'username'");
	set_str(rig, "password", "");
	set_str(rig, "from", "Fleet\r\nBcc: x@example.com <fleet@example.edu>");
	refuses(rig, "'from'");
	set_str(rig, "from", "fleet");
	refuses(rig, "has no '@'");
	set_str(rig, "from", "fl\xc3\xb6tte@example.edu");
	refuses(rig, "ASCII");
	set_str(rig, "from", "fleet@example.edu");
	set_to_expr(rig, ".data.user");
	refuses(rig, "allow_domains");
	SET_DOMAINS(rig, "@example.edu");
	refuses(rig, "allow_domains");
	SET_DOMAINS(rig, "example.edu");
	accepts(rig);
	SET_TO(rig, "desk@example.edu", "x@example.com");
	refuses(rig, "'x@example.com'");
	SET_DOMAINS(rig, "example.edu", "EXAMPLE.com");
	accepts(rig);
	SET_TO(rig, "desk@example.edu\r\nRCPT TO:<x@example.com>");
	refuses(rig, "line break");
	SET_TO(rig, "desk@example.edu");
	set_str(rig, "helo", "two words");
	refuses(rig, "'helo'");
}

/* ---- What it would send */

static void previews_a_mail(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("0193", "{\"code\":12345678901234567890,\"note\":\"a \\\"b\\\"\\n<i>\"}");
	set_text(rig, "html", "<p title='x'>\\(.data.note)</p>");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_OK);
	assert_string_equal(rig->text, "{\"to\":[\"desk@example.edu\"],\"subject\":\"Fault 12345678901234567890\","
				       "\"text\":\"a \\\"b\\\"\\u000a<i>\","
				       "\"html\":\"<p title='x'>a &quot;b&quot;\\u000a&lt;i&gt;</p>\"}");
}

static void computes_recipients(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("0193", "{\"to\":[\"a@example.edu\",\"b@EXAMPLE.EDU\",\"a@example.edu\"]}");
	set_to_expr(rig, ".data.to");
	SET_DOMAINS(rig, "example.edu");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_OK);
	assert_says(rig, "{\"to\":[\"a@example.edu\",\"b@EXAMPLE.EDU\"],");
	e = event("0193", "{\"to\":\"a@example.edu\"}");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_OK);
	assert_says(rig, "{\"to\":[\"a@example.edu\"],");
}

static void refuses_recipients(void **state)
{
	static const struct {
		const char *data, *why;
	} cases[] = {
		{ "{}", "no address" },
		{ "{\"to\":[]}", "no address" },
		{ "{\"to\":{\"a\":1}}", "no address" },
		{ "{\"to\":7}", "no address" },
		{ "{\"to\":[7]}", "something else than strings" },
		{ "{\"to\":\"a@evil.example\"}", "allow_domains" },
		{ "{\"to\":[\"a@example.edu\",\"a@evil.example\"]}", "'a@evil.example'" },
		{ "{\"to\":\"a%evil.example@example.edu\"}", "past `allow_domains`" },
		{ "{\"to\":\"evil.example!a@example.edu\"}", "past `allow_domains`" },
		{ "{\"to\":\"a@example.edu\\r\\nDATA\"}", "line break" },
		{ "{\"to\":\"a@example.edu\\u0000\"}", "NUL" },
		{ "{\"to\":\"a@example.edu,b@example.edu\"}", "more than one '@'" },
	};
	struct rig *rig = *state;
	set_to_expr(rig, ".data.to");
	SET_DOMAINS(rig, "example.edu");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		patchbay_delivery e = event("0193", cases[i].data);
		act(rig, &e, 1);
		assert_int_equal(rig->results[0].status, PATCHBAY_EBADEVENT);
		assert_says(rig, cases[i].why);
	}
}

static void too_many_recipients_are_none(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("0193", "{}");
	set_to_expr(rig, "[range(101) | \"u\\(.)@example.edu\"]");
	SET_DOMAINS(rig, "example.edu");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_EBADEVENT);
	assert_says(rig, "more than 100");
}

static void tells_who_broke_the_subject(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("0193", "{\"code\":\"x\\r\\nBcc: evil@example.com\"}");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_EBADEVENT);
	assert_says(rig, "the event brings");
	e = event("0193", "{\"code\":\"x\\u0000\"}");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_EBADEVENT);
	instance_destroy(rig->instance);
	rig->instance = NULL;
	set_text(rig, "subject", "two\\nlines");
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_ECONFIG);
	assert_says(rig, "`subject` itself");
}

static void an_expression_that_fails_is_the_events_fault(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("0193", "{\"note\":{}}");
	set_text(rig, "text", "\\(.data.note + 1)");
	act(rig, &e, 1);
	assert_int_equal(rig->results[0].status, PATCHBAY_EBADEVENT);
	assert_true(rig->text[0] != '\0');
}

static void long_subjects_are_cut_between_characters(void **state)
{
	struct rig *rig = *state;
	char data[4096] = "{\"code\":\"x";
	for (int i = 0; i < 900; i++)
		strcat(data, "\xc3\xa9");
	strcat(data, "\"}");
	patchbay_delivery e = event("0193", data);
	assert_int_equal(preview(rig, &e, 1), PATCHBAY_OK);
	assert_says(rig, "\xc3\xa9\",\"text\":");
	assert_true(strlen(rig->text) < 1200);
}

static void many_events_become_a_digest(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e[5];
	static const char *const ids[] = { "id-0", "id-1", "id-2", "id-3", "id-4" };
	for (size_t i = 0; i < 5; i++) {
		e[i] = event(ids[i], i == 3 ? "{\"code\":\"bad\\nline\"}" : "{\"code\":\"J1939\"}");
		e[i].time_ns += (int64_t)i * 60 * 1000000000;
	}
	e[2].route = STR("routes.yaml:50");
	e[4].type = STR("x\n   event id-9");
	*(int64_t *)option(rig, "digest") = 3;
	assert_int_equal(preview(rig, e, 5), PATCHBAY_OK);
	assert_says(rig, "\"subject\":\"4 events, 2025-11-22 12:00-12:04 UTC\"");
	assert_says(rig, "   x?   event id-9 from fleet"); /* no line of its own */
	e[4].type = e[0].type;
	assert_int_equal(preview(rig, e, 5), PATCHBAY_OK);
	assert_says(rig, "\"subject\":\"4 x fault_code_opened, 2025-11-22 12:00-12:04 UTC\"");
	assert_says(rig, "4 events by routes.yaml:41, 2025-11-22T12:00:00Z to 2025-11-22T12:04:00Z\\u000a\\u000a1. "
			 "Fault J1939\\u000a"
			 "   fault_code_opened from fleet, 2025-11-22T12:00:00Z\\u000a   event id-0\\u000a");
	assert_says(rig, "3. fault_code_opened\\u000a"); /* whose own subject would have had two lines */
	assert_says(rig, "event id-4\\u000a");
	assert_null(strstr(rig->text, "id-2")); /* by another route */
	assert_int_equal(preview(rig, e, 4), PATCHBAY_OK);
	assert_says(rig, "\"subject\":\"Fault J1939\""); /* three are not more than three */
}

static void digests_have_the_same_recipients(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e[] = { event("id-0", "{\"to\":\"a@example.edu\"}"),
				  event("id-1", "{\"to\":\"b@example.edu\"}"),
				  event("id-2", "{\"to\":\"a@example.edu\"}"), event("id-3", "{\"to\":7}"),
				  event("id-4", "{\"to\":\"a@example.edu\"}") };
	set_to_expr(rig, ".data.to");
	SET_DOMAINS(rig, "example.edu");
	*(int64_t *)option(rig, "digest") = 2;
	assert_int_equal(preview(rig, e, 5), PATCHBAY_OK);
	assert_says(rig, "\"subject\":\"3 x ");
	assert_null(strstr(rig->text, "id-1"));
	assert_null(strstr(rig->text, "id-3"));
}

/* ---- One mail in a call */

static void a_bad_event_leaves_the_others_untouched(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e[] = { event("id-0", "{\"code\":\"\\n\"}"), event("id-1", "{}"), event("id-2", "{}") };
	act(rig, e, 3);
	assert_int_equal(rig->results[0].status, PATCHBAY_EBADEVENT);
	assert_int_equal(rig->results[1].status, PATCHBAY_UNTOUCHED);
	assert_int_equal(rig->results[2].status, PATCHBAY_UNTOUCHED);
}

static void an_id_that_is_none_goes_nowhere(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("0193\r\nBcc: evil@example.com", "{}");
	act(rig, &e, 1);
	assert_int_equal(rig->results[0].status, PATCHBAY_EBADEVENT);
	assert_says(rig, "id");
}

/* A port of this machine on which nobody listens. */
static int closed_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void nobody_listens(void **state)
{
	struct rig *rig = *state;
	char server[64];
	patchbay_delivery e[] = { event("id-0", "{}"), event("id-1", "{}") };
	snprintf(server, sizeof(server), "smtp://127.0.0.1:%d", closed_port());
	set_str(rig, "server", server);
	*(bool *)option(rig, "allow_private") = true;
	act(rig, e, 2);
	assert_int_equal(rig->results[0].status, PATCHBAY_DOWN);
	assert_int_equal(rig->results[1].status, PATCHBAY_UNTOUCHED);
	assert_says(rig, "cannot be reached");
	/* and after it has hung up, for want of work */
	const patchbay_idle *idle = rig->plugin->sink->extension(PATCHBAY_IDLE);
	patchbay_str checkpoint = { "", 0 };
	assert_int_equal(idle->idle(instance_self(rig->instance), &rig->call, &checkpoint), PATCHBAY_OK);
	assert_int_equal(idle->idle(instance_self(rig->instance), &rig->call, &checkpoint), PATCHBAY_OK);
	act(rig, e, 1);
	assert_int_equal(rig->results[0].status, PATCHBAY_DOWN);
}

static void private_addresses_need_leave(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("id-0", "{}");
	set_str(rig, "server", "smtp://127.0.0.1:25");
	act(rig, &e, 1);
	assert_int_equal(rig->results[0].status, PATCHBAY_EBADSINK);
	assert_says(rig, "allow_private");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_a_server_and_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(checks_rules_across_options, setup, teardown),
		cmocka_unit_test_setup_teardown(previews_a_mail, setup, teardown),
		cmocka_unit_test_setup_teardown(computes_recipients, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_recipients, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_recipients_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_who_broke_the_subject, setup, teardown),
		cmocka_unit_test_setup_teardown(an_expression_that_fails_is_the_events_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(long_subjects_are_cut_between_characters, setup, teardown),
		cmocka_unit_test_setup_teardown(many_events_become_a_digest, setup, teardown),
		cmocka_unit_test_setup_teardown(digests_have_the_same_recipients, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_event_leaves_the_others_untouched, setup, teardown),
		cmocka_unit_test_setup_teardown(an_id_that_is_none_goes_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_listens, setup, teardown),
		cmocka_unit_test_setup_teardown(private_addresses_need_leave, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
