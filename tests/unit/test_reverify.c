/* What was refused is admitted once the secret is mended: all of it, in its order, once each; and nothing else. */
#include "source_fake.h"

#include "source/admit.h"
#include "source/quarantine.h"
#include "source/reverify.h"

#include <sqlite3.h>

#define LINES_MAX 64

static struct { /* what the last run said */
	char lines[LINES_MAX][512];
	unsigned n;
} said;

static bool say(void *ctx, patchbay_str json)
{
	(void)ctx;
	assert_true(said.n < LINES_MAX);
	snprintf(said.lines[said.n++], sizeof said.lines[0], "%.*s", STR_ARG(json));
	return true;
}

static const char *reverify(struct bench *b, bool dry_run)
{
	struct err err = { "" };
	struct reverify r = { .journal = b->journal, .source = &b->sources[0], .dry_run = dry_run, .say = say };
	said.n = 0;
	if (reverify_run(&r, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(err.text, "");
	assert_true(said.n > 0);
	return said.lines[said.n - 1];
}

#define END(admitted, events, here, nothing, fails, before)                                                            \
	"{\"result\":\"end\",\"admitted\":" #admitted ",\"events\":" #events ",\"here\":" #here                        \
	",\"nothing\":" #nothing ",\"fails\":" #fails ",\"before\":" #before                                           \
	",\"dry_run\":false,\"live_refuses\":false}"

static const int64_t day_ns = INT64_C(86400) * NS_PER_S;

/* As the intake takes a post in. */
static enum admitted post_at(struct bench *b, int64_t received_ns, const char *secret, const char *path_secret,
			     const char *body)
{
	struct patchbay_call call;
	struct journal_ticket ticket = { .late_ms = 1000 };
	struct err err = { "" };
	patchbay_reply reply = { .size = sizeof reply };
	patchbay_kv headers[] = { { STR("host"), STR("example.org:80") },
				  { STR("x-secret"), str_c(secret) },
				  { STR("authorization"), STR("Bearer 12345") } };
	patchbay_request request = { .size = sizeof request,
				     .n_headers = 3,
				     .headers = headers,
				     .method = STR("POST"),
				     .path = STR("/in/yard"),
				     .query = STR("a=b"),
				     .body = str_c(body),
				     .client = STR("192.0.2.7"),
				     .received_ns = received_ns };
	struct instance *instance = instance_create(&fake_plugin, false, "yard", &b->options, NULL, &err);
	struct emission emission = { .source = &b->sources[0], .call = &call, .ticket = &ticket };
	call_init(&call, 1 << 20);
	call_begin(&call, 0);
	enum admitted how = admit_request(&emission, instance, &request, str_c(path_secret), &reply);
	if (how != ADMITTED_NOTHING && journal_append_wait(b->journal, &ticket, &err) != 0)
		fail_msg("%s", err.text);
	buf_free(&ticket.records);
	call_fini(&call);
	instance_destroy(instance);
	return how;
}

static enum admitted post(struct bench *b, const char *secret, const char *body)
{
	return post_at(b, clock_wall_ns(), secret, "", body);
}

struct shown { /* an event of the journal, but not of a restart's memory */
	char data[64], note[64], client[32];
	int64_t received_ns;
	uint8_t dedupe, flags;
	struct id id;
};

static unsigned events(struct bench *b, struct shown *v, unsigned max)
{
	struct journal_reader *reader = journal_reader_open(b->journal);
	struct journal_pos pos = journal_start(b->journal);
	struct journal_record r;
	struct err err;
	unsigned n = 0;
	while (journal_read(reader, &pos, &r, NULL, &err) == 1) {
		if (r.kind != JOURNAL_EVENT || n == max)
			continue;
		snprintf(v[n].data, sizeof v[n].data, "%.*s", STR_ARG(r.data));
		snprintf(v[n].note, sizeof v[n].note, "%.*s", STR_ARG(r.note));
		snprintf(v[n].client, sizeof v[n].client, "%.*s", STR_ARG(r.client));
		v[n].received_ns = r.received_ns;
		v[n].dedupe = r.dedupe;
		v[n].flags = r.flags;
		v[n++].id = r.id;
	}
	journal_reader_close(reader);
	return n;
}

static void after_a_wrong_secret_each_is_recovered_once_in_order(void **state)
{
	struct bench *b = *state;
	struct shown v[8];
	char body[32];
	int64_t now_ns = clock_wall_ns();
	b->options.secret = STR("wrong");
	for (int i = 0; i < 5; i++) {
		snprintf(body, sizeof body, "key:k%d", i);
		assert_int_equal(post_at(b, now_ns - (5 - i) * NS_PER_S, "right", "", body), ADMITTED_REFUSED);
	}
	post(b, "forged", "key:forged");
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 6, 0));
	assert_non_null(strstr(said.lines[0], "\"why\":\"x-secret is wrong\""));
	b->options.secret = STR("right");
	assert_string_equal(reverify(b, false), END(5, 5, 0, 0, 1, 0));
	assert_non_null(strstr(said.lines[0], "\"result\":\"admitted\""));
	assert_int_equal(events(b, v, 8), 5);
	for (int i = 0; i < 5; i++) {
		snprintf(body, sizeof body, "key:k%d", i);
		assert_string_equal(v[i].data, body);
		assert_string_equal(v[i].note, "the right secret (reverified)");
		assert_string_equal(v[i].client, "192.0.2.7");
		assert_true(v[i].received_ns == now_ns - (5 - i) * NS_PER_S);
		assert_int_equal(v[i].flags, JOURNAL_FLAG_LATE);
	}
	bench_reopen(b);
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 1, 5));
	assert_int_equal(events(b, v, 8), 5);
}

static void a_dry_run_says_the_same_and_changes_nothing(void **state)
{
	struct bench *b = *state;
	struct shown v[4];
	post(b, "new", "key:a\nkey:b");
	post(b, "new", "key:a\nkey:b"); /* its retry */
	b->options.secret = STR("new");
	const char *end = reverify(b, true);
	assert_non_null(strstr(end, "\"admitted\":1,\"events\":2,\"here\":1,"));
	assert_non_null(strstr(end, "\"dry_run\":true"));
	assert_int_equal(events(b, v, 4), 0);
	assert_string_equal(reverify(b, false), END(1, 2, 1, 0, 0, 0));
	assert_int_equal(events(b, v, 4), 2);
	assert_non_null(strstr(reverify(b, true),
			       "\"admitted\":0,\"events\":0,\"here\":0,\"nothing\":0,\"fails\":0,\"before\":2"));
}

static void what_the_providers_retry_brought_is_not_made_again(void **state)
{
	struct bench *b = *state;
	struct shown v[8];
	post(b, "new", "key:a\nkey:b");
	post(b, "new", "key:c");
	b->options.secret = STR("new");
	assert_int_equal(post(b, "new", "key:a"), ADMITTED_EVENTS);
	assert_int_equal(post(b, "new", "key:c"), ADMITTED_EVENTS);
	assert_string_equal(reverify(b, false), END(1, 1, 1, 0, 0, 0));
	assert_int_equal(events(b, v, 8), 3);
	assert_string_equal(v[2].data, "key:b");
	assert_non_null(strstr(said.lines[1], "\"result\":\"here\""));
	char id[ID_TEXT_SIZE];
	id_format(&v[1].id, id);
	assert_non_null(strstr(said.lines[1], id)); /* as which event it is here */
}

/* Neither the memory of keys nor its reload after a start goes back that far. */
static void also_when_dedupe_has_forgotten_it(void **state)
{
	struct bench *b = *state;
	struct shown v[4];
	int64_t old_ns = clock_wall_ns() - 20 * day_ns;
	b->options.secret = STR("new");
	post_at(b, old_ns, "new", "", "key:a");
	post_at(b, old_ns, "new", "", "latest:v:1");
	b->options.secret = STR("other");
	post_at(b, old_ns - NS_PER_S, "new", "", "key:a");
	post_at(b, old_ns - NS_PER_S, "new", "", "latest:v:1");
	b->options.secret = STR("new");
	b->dedupe_window_ms = 1;
	bench_reopen(b);
	bench_reopen(b);
	assert_string_equal(reverify(b, false), END(0, 0, 2, 0, 0, 0));
	assert_int_equal(events(b, v, 4), 2);
}

static void states_are_recovered_unless_they_came_again(void **state)
{
	struct bench *b = *state;
	struct shown v[8];
	int64_t t = clock_wall_ns() - 3600 * NS_PER_S;
	post_at(b, t, "right", "", "latest:v:A");
	b->options.secret = STR("other");
	post_at(b, t + 1, "right", "", "latest:v:B");
	post_at(b, t + 2, "right", "", "latest:v:B"); /* a retry */
	post_at(b, t + 3, "right", "", "latest:v:A"); /* as it was in the beginning */
	post_at(b, t + 4, "right", "", "latest:v:C"); /* its retry is accepted: */
	b->options.secret = STR("right");
	post_at(b, t + 5, "right", "", "latest:v:C");
	post_at(b, t + 6, "right", "", "latest:v:D");
	assert_string_equal(reverify(b, false), END(2, 2, 2, 0, 0, 0));
	assert_int_equal(events(b, v, 8), 5);
	assert_string_equal(v[3].data, "latest:v:B");
	assert_string_equal(v[4].data, "latest:v:A");
}

static void equal_events_that_nothing_identifies_stay_two(void **state)
{
	struct bench *b = *state;
	struct shown v[4];
	post(b, "new", "unanswered:engine");
	post(b, "new", "unanswered:engine");
	b->options.secret = STR("new");
	assert_string_equal(reverify(b, false), END(2, 2, 0, 0, 0, 0));
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 0, 2));
	assert_int_equal(events(b, v, 4), 2);
	assert_int_equal(v[0].dedupe, PATCHBAY_DEDUPE_NONE);
}

static void forget_what_was_recovered(struct bench *b)
{
	char *path = xasprintf("%s/state.db", b->dir);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000); /* the housekeeper may be at it */
	if (sqlite3_exec(db, "DELETE FROM recovered", NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	free(path);
}

static void killed_before_it_was_noted(void **state)
{
	struct bench *b = *state;
	struct shown v[8];
	post(b, "new", "unanswered:engine\nkey:a\nunanswered:engine");
	post(b, "new", "unanswered:engine");
	b->options.secret = STR("new");
	assert_string_equal(reverify(b, false), END(2, 4, 0, 0, 0, 0));
	forget_what_was_recovered(b);
	assert_string_equal(reverify(b, false), END(0, 0, 2, 0, 0, 0));
	assert_int_equal(events(b, v, 8), 4);
	char id[ID_TEXT_SIZE];
	id_format(&v[3].id, id);
	assert_non_null(strstr(said.lines[1], id)); /* as which event it is here */
}

static void a_replay_stays_where_it_is(void **state)
{
	struct bench *b = *state;
	post(b, "new", "token:t:one");
	post(b, "new", "token:t:two");
	b->options.secret = STR("new");
	assert_string_equal(reverify(b, false), END(1, 1, 0, 0, 1, 0));
	assert_non_null(strstr(said.lines[1], "its one-time token came before"));
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 1, 1));
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 1, 1)); /* not one more each time */
}

static void what_was_not_understood_is_parsed_again(void **state)
{
	struct bench *b = *state;
	struct shown v[4];
	assert_int_equal(post(b, "right", "novel:x"), ADMITTED_MALFORMED);
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 1, 0));
	assert_non_null(strstr(said.lines[0], "a line of another class"));
	b->options.lenient = true;
	assert_string_equal(reverify(b, false), END(1, 1, 0, 0, 0, 0));
	assert_int_equal(events(b, v, 4), 1);
	assert_string_equal(v[0].data, "novel:x");
}

static void what_brings_no_event_is_done_with(void **state)
{
	struct bench *b = *state;
	post(b, "new", "none");
	b->options.secret = STR("new");
	assert_string_equal(reverify(b, false), END(0, 0, 0, 1, 0, 0));
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 0, 1));
}

static void held_events_stay_held(void **state)
{
	struct bench *b = *state;
	struct shown v[1];
	post(b, "new", "held:x");
	b->options.secret = STR("new");
	assert_string_equal(reverify(b, false), END(1, 1, 0, 0, 0, 0));
	assert_int_equal(events(b, v, 1), 1);
	assert_int_equal(v[0].flags, JOURNAL_FLAG_LATE | JOURNAL_FLAG_HELD);
}

static void a_wrong_path_secret_is_verified_by_its_hash(void **state)
{
	struct bench *b = *state;
	struct shown v[4];
	patchbay_str secrets[] = { STR("secret-of-then"), STR("secret-of-now!") };
	struct journal_reader *reader = journal_reader_open(b->journal);
	struct journal_pos cursor = { 0 };
	struct journal_record r;
	struct err err;
	int64_t now = clock_wall_ns();
	b->sources[0].path_secret = (patchbay_strs){ secrets, 1 };
	assert_int_equal(post_at(b, now, "right", "secret-of-now!", "key:a"), ADMITTED_REFUSED);
	assert_int_equal(post_at(b, now + 1, "right", "", "key:b"), ADMITTED_REFUSED);
	assert_int_equal(post_at(b, now + 2, "right", "secret-of-now", "key:c"), ADMITTED_REFUSED);
	assert_int_equal(post_at(b, now + 3, "forged", "secret-of-now!", "key:d"), ADMITTED_REFUSED);
	assert_int_equal(post_at(b, now + 4, "forged", "secret-of-then", "key:e"), ADMITTED_REFUSED); /* by verify */
	while (journal_read_refused(reader, &cursor, &r, &err) == 1) {
		assert_null(memmem(r.request.p, r.request.n, "secret-of", 9));
		assert_null(memmem(r.request.p, r.request.n, "Bearer", 6));
		assert_true(str_starts(r.request, STR("POST /in/yard?a=b\n:refused-by: ")));
	}
	journal_reader_close(reader);
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 5, 0));
	b->sources[0].path_secret.n = 2;
	assert_string_equal(reverify(b, false), END(1, 1, 0, 0, 4, 0));
	assert_int_equal(events(b, v, 4), 1);
	assert_string_equal(v[0].data, "key:a");
	b->sources[0].path_secret = (patchbay_strs){ NULL, 0 };
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 4, 1));
}

static void what_cannot_be_verified_again_stays_out(void **state)
{
	static const char *const requests[] = {
		"",                                 /* a replay: of it only the event is kept */
		"POST /in/yard\nx-secret: right\n", /* nothing says which check it failed */
		"POST /in/yard\n:refused-by: magic\nx-secret: right\n",
		"POST /in/yard\n:refused-by: path_secret\nx-secret: right\n", /* without the hash */
		"POST /in/yard\n:refused-by: path_secret\n:path-secret: sha256 00 \nx-secret: right\n",
		"\n\n::\n: :\n",
		":refused-by: verify",
	};
	struct bench *b = *state;
	struct shown v[1];
	struct err err;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct journal_ticket ticket = { .n = 1 };
		struct journal_record record = { .id = id_new(clock_wall_ns()),
						 .kind = JOURNAL_REFUSED,
						 .dedupe = PATCHBAY_DEDUPE_NONE,
						 .received_ns = clock_wall_ns(),
						 .source = STR("yard"),
						 .note = STR("replay: its one-time token came before"),
						 .request = str_c(requests[i]),
						 .data = STR("key:x") };
		journal_encode(&ticket.records, &record);
		assert_int_equal(journal_append_wait(b->journal, &ticket, &err), 0);
		buf_free(&ticket.records);
	}
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 7, 0));
	assert_int_equal(events(b, v, 1), 0);
}

static void other_sources_are_not_touched(void **state)
{
	struct bench *b = *state;
	post(b, "new", "key:a");
	b->options.secret = STR("new");
	struct config_source yard = b->sources[0];
	b->sources[0] = b->sources[1];
	assert_string_equal(reverify(b, false), END(0, 0, 0, 0, 0, 0));
	b->sources[0] = yard;
	assert_string_equal(reverify(b, false), END(1, 1, 0, 0, 0, 0));
}

static bool keep_the_last(void *ctx, patchbay_str json)
{
	said.n = 0;
	return say(ctx, json);
}

static bool hang_up(void *ctx, patchbay_str json)
{
	return keep_the_last(NULL, json) && --*(int *)ctx > 0;
}

static void a_thousand_are_taken_in_groups_and_what_was_interrupted_goes_on(void **state)
{
	struct bench *b = *state;
	struct err err;
	char body[32];
	int some = 600;
	int64_t began_ns = clock_wall_ns();
	struct reverify r = { .journal = b->journal, .source = &b->sources[0], .say = hang_up, .ctx = &some };
	for (int i = 0; i < 1100; i++) {
		snprintf(body, sizeof body, "key:%d", i % 1050); /* the first fifty come again, in another group */
		post_at(b, began_ns + i, "new", "", body);
	}
	b->options.secret = STR("new");
	assert_int_equal(reverify_run(&r, &err), -1);
	assert_non_null(strstr(err.text, "interrupted"));
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), 600);
	r.say = keep_the_last;
	assert_int_equal(reverify_run(&r, &err), 0);
	assert_string_equal(said.lines[0], END(450, 450, 50, 0, 0, 600));
	assert_int_equal(bench_count(b, JOURNAL_EVENT, 0, NULL), 1050);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
		TEST(after_a_wrong_secret_each_is_recovered_once_in_order),
		TEST(a_dry_run_says_the_same_and_changes_nothing),
		TEST(what_the_providers_retry_brought_is_not_made_again),
		TEST(also_when_dedupe_has_forgotten_it),
		TEST(states_are_recovered_unless_they_came_again),
		TEST(equal_events_that_nothing_identifies_stay_two),
		TEST(killed_before_it_was_noted),
		TEST(a_replay_stays_where_it_is),
		TEST(what_was_not_understood_is_parsed_again),
		TEST(what_brings_no_event_is_done_with),
		TEST(held_events_stay_held),
		TEST(a_wrong_path_secret_is_verified_by_its_hash),
		TEST(what_cannot_be_verified_again_stays_out),
		TEST(other_sources_are_not_touched),
		TEST(a_thousand_are_taken_in_groups_and_what_was_interrupted_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
