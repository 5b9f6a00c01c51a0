/* test_golden_file.c - golden tests, with the real plugins and the demo's configuration: what is said about a test
 * file, and about what does not come out as expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/golden.h"
#include "cli/load.h"
#include "base/mem.h"
#include "temp_dir.h"

static struct registry *registry;
static struct config *config;
static char *folder;

static int setup(void **state)
{
	struct config_faults faults;
	(void)state;
	setenv("PATCHBAY_PLUGIN_PATH", PLUGIN_DIR, 1);
	unsetenv("FLEET_SECRET");
	config = cli_load_for_testing(SOURCE_DIR "/etc/demo/routes.yaml", &registry, &faults);
	for (size_t i = 0; i < faults.n; i++)
		print_error("%s\n", faults.v[i].text);
	config_faults_free(&faults);
	folder = temp_dir_make();
	return config ? chdir(folder) : -1;
}

static int teardown(void **state)
{
	(void)state;
	config_free(config);
	registry_destroy(registry);
	int r = chdir("/");
	temp_dir_remove(folder);
	return r;
}

static void write_bytes(const char *name, const char *p, size_t n)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* All that is said about the file, or else about its tests, one a line. The caller frees. */
static char *run(const char *yaml, size_t n)
{
	struct config_faults found = { 0 }, failures = { 0 };
	struct faults faults = { .path = "t.yaml", .list = &failures };
	struct golden golden;
	struct golden_bench bench;
	struct buf all = { 0 };
	char *named = NULL;

	write_bytes("t.yaml", yaml, n);
	golden_bench_init(&bench, config);
	if (golden_open(&golden, "t.yaml", &found, &named) == 0 && golden_read(&golden, config) == 0)
		for (size_t i = 0; i < golden.n; i++)
			golden_run(&bench, &golden.v[i], &faults);
	faults_sort(&found);
	for (size_t i = 0; i < found.n; i++)
		buf_addf(&all, "%s\n", found.v[i].text);
	for (size_t i = 0; i < failures.n; i++)
		buf_addf(&all, "%s\n", failures.v[i].text);
	char *text = xstrdup(buf_cstr(&all));
	buf_free(&all);
	golden_bench_fini(&bench);
	golden_close(&golden);
	config_faults_free(&found);
	config_faults_free(&failures);
	free(named);
	return text;
}

static void assert_says(const char *yaml, const char *expected)
{
	char *got = run(yaml, strlen(yaml));
	if (strcmp(got, expected) != 0) {
		print_error("--- expected\n%s", expected);
		print_error("--- got\n%s", got);
		fail();
	}
	free(got);
}

static void the_file_is_checked_as_a_whole(void **state)
{
	(void)state;
	assert_says("", "t.yaml: there are no tests; write 'tests:', and below it a list of them\n");
	assert_says("test: []\n", "t.yaml:1:1: unknown key 'test' in a test file; did you mean 'tests'?\n");
	assert_says("tests: {a: 1}\n",
		    "t.yaml:1:8: 'tests' must be a list, each test beginning with '- name:', not a mapping\n");
	assert_says("tests:\n"
		    "- name: a\n"
		    "  source: fleat\n"
		    "  sample: ping\n"
		    "  client: here\n"
		    "  signed: maybe\n"
		    "- source: fleet\n"
		    "  sample: pink\n"
		    "  body: x\n"
		    "  set: [a]\n"
		    "  received: now\n"
		    "- name: c\n"
		    "  source: fleet\n"
		    "  sample: ping\n"
		    "  expect:\n"
		    "    verdikt: accepted\n"
		    "    type: [a]\n"
		    "    sinks: [everything, brakes]\n"
		    "    why_not: {brakin: x, braking: [a]}\n"
		    "    rendered: {braking: text}\n",
		    "t.yaml:3:11: the configuration has no source 'fleat'; did you mean 'fleet'?\n"
		    "t.yaml:5:11: 'client' is the address that the request came from, such as 192.0.2.7\n"
		    "t.yaml:6:11: 'signed': there is no 'maybe'; write one of: yes, wrong, no\n"
		    "t.yaml:7:3: this test needs 'name': what is tested, in a few words\n"
		    "t.yaml:7:3: a test has one of 'sample', 'body' and 'body_file'\n"
		    "t.yaml:8:11: its source has no sample 'pink'; did you mean 'ping'?\n"
		    "t.yaml:10:8: 'set' must be 'key: value' lines, not a list\n"
		    "t.yaml:11:13: 'received' is a time such as 2026-01-01T00:00:00Z\n"
		    "t.yaml:16:5: unknown key 'verdikt' in 'expect'; did you mean 'verdict'?\n"
		    "t.yaml:17:11: type must be one value, not a list\n"
		    "t.yaml:18:25: the configuration has no sink 'brakes'; did you mean 'braking'?\n"
		    "t.yaml:19:15: the configuration has no sink 'brakin'; did you mean 'braking'?\n"
		    "t.yaml:19:35: 'why_not' takes 'SINK: a part of the reason'\n"
		    "t.yaml:20:25: 'rendered' takes 'SINK:' with 'key: value' lines below it\n");
}

#define FLEET "tests:\n- name: a\n  source: fleet\n"

static void says_what_came_instead(void **state)
{
	(void)state;
	assert_says(
		FLEET "  body: '{\"action\": \"fault_code_opened\", \"id\": 1}'\n"
		      "  expect: {type: fault_code_opened, kind: x, dedupe: strong, test: true, events: 2,\n"
		      "    sinks: [everything, braking], why_not: {everything: x, completions: zzz}}\n",
		"t.yaml:5:82: expected 2 events, got 1\n"
		"t.yaml:5:43: expected kind 'x', got 'fault_code_opened'\n"
		"t.yaml:5:68: expected test 'true', got 'false'\n"
		"t.yaml:6:25: expected 'braking' to get it, it does not: route routes.yaml:46: type: "
		"driver_performance_event_* does not match fault_code_opened\n"
		"t.yaml:6:45: expected 'everything' not to get it, it does, by the route routes.yaml:45\n"
		"t.yaml:6:73: expected 'zzz' as the reason, it is: route routes.yaml:50: from: campus, learning; it "
		"came from fleet\n");
	assert_says(
		FLEET "  sample: ping\n  signed: wrong\n",
		"t.yaml:2:3: expected the request to be accepted, it was refused: X-KT-Webhook-Signature matches none "
		"of the configured secrets (1: env FLEET_SECRET): compare 'secret' with the webhook's in Motive; a "
		"proxy that changes the body breaks it, too\n");
	assert_says(FLEET "  sample: fault_code_opened\n  expect: {verdict: refused, why: x}\n",
		    "t.yaml:5:21: expected the request to be refused, it was accepted: HMAC-SHA1, secret 1 of 1 (env "
		    "FLEET_SECRET)\n");
	assert_says(FLEET "  sample: fault_code_opened\n  expect: {why: SHA256}\n",
		    "t.yaml:5:17: expected 'SHA256' in what the plugin says, it says: HMAC-SHA1, secret 1 of 1 (env "
		    "FLEET_SECRET)\n");
	assert_says(FLEET "  sample: fault_code_opened\n  event: 2\n",
		    "t.yaml:2:3: there is no event number 2, only 1\n");
	assert_says(FLEET "  body: nonsense\n  set: {a: 1}\n",
		    "t.yaml:2:3: the body is not JSON, so nothing can be set in it\n");
	assert_says(FLEET "  body_file: nowhere\n",
		    "t.yaml:2:3: 'body_file': cannot open ./nowhere: No such file or directory\n");
}

static void compares_what_would_be_sent(void **state)
{
	(void)state;
	assert_says(
		FLEET "  sample: fault_code_opened\n"
		      "  set: {action: fault_code_closed}\n"
		      "  expect:\n"
		      "    rendered:\n"
		      "      braking: {row: x}\n"
		      "      everything: {colums: {}, columns: {source: fleat, type: [x], kind: ~, id: {}}}\n",
		"t.yaml:8:7: expected 'braking' to get it, it does not: route routes.yaml:46: type: "
		"driver_performance_event_* does not match fault_code_closed\n"
		"t.yaml:9:20: 'everything' (route routes.yaml:45) has no 'colums' in what it sends, which is: "
		"{\"columns\":{\"id\":"
		"\"00000000-0000-7000-8000-000000000001\",\"time\":\"2026-01-01T00:00:00Z\",\"source\":\"fleet\","
		"\"type\":"
		"\"fault_code_closed\",\"kind\":\"fault_code_closed\",\"subject\":\"vehicle 1\"},\"row\":"
		"\"00000000-0000-7000-8000-000000000001,2026-01-01T00:00:00Z,fleet,fault_code_closed,"
		"fault_code_closed,vehicle 1\"}\n"
		"t.yaml:9:50: 'everything' (route routes.yaml:45): expected columns.source \"fleat\", got \"fleet\"\n"
		"t.yaml:9:63: 'everything' (route routes.yaml:45): expected columns.type a list of that length, got "
		"\"fault_code_closed\"\n"
		"t.yaml:9:74: 'everything' (route routes.yaml:45): expected columns.kind null, got "
		"\"fault_code_closed\"\n"
		"t.yaml:9:81: 'everything' (route routes.yaml:45): expected columns.id a mapping, got "
		"\"00000000-0000-7000-8000-000000000001\"\n");
}

static void requests_are_made_as_they_are_told(void **state)
{
	static const char body[] = "{\"action\": \"vehicle_upserted\", \"id\": 12345678901234567890}";
	(void)state;
	write_bytes("body.json", body, strlen(body));
	assert_says(FLEET "  body_file: body.json\n  set: {id: 5}\n  received: 2026-03-04T05:06:07Z\n"
			  "  expect: {subject: vehicle 5, time: 2026-03-04T05:06:07Z, time_source: received}\n",
		    "");
	assert_says(FLEET "  sample: ping\n  signed: no\n"
			  "  expect: {verdict: refused, why: no X-KT-Webhook-Signature header}\n",
		    "");
	assert_says(FLEET "  sample: ping\n  signed: no\n  headers: {X-KT-Webhook-Signature: abc}\n"
			  "  expect: {verdict: refused, why: has 3 characters}\n",
		    "");
	assert_says("tests:\n- name: a\n  source: campus\n  sample: course_completed\n  client: '::1'\n"
		    "  expect: {why: 'address ::1', events: 1}\n",
		    "");
}

static char *read_all(const char *path, size_t *n)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	*n = fread(text, 1, sizeof(text), f);
	fclose(f);
	return text;
}

static void the_demo_passes(void **state)
{
	size_t n;
	char *text = read_all(SOURCE_DIR "/etc/demo/tests.yaml", &n), *got = run(text, n);
	(void)state;
	assert_string_equal(got, "");
	free(got);
}

static void survives_files_cut_anywhere(void **state)
{
	size_t n;
	char *text = read_all(SOURCE_DIR "/etc/demo/tests.yaml", &n);
	(void)state;
	for (size_t i = 0; i < n; i += 7)
		free(run(text, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_checked_as_a_whole),
		cmocka_unit_test(says_what_came_instead),
		cmocka_unit_test(compares_what_would_be_sent),
		cmocka_unit_test(requests_are_made_as_they_are_told),
		cmocka_unit_test(the_demo_passes),
		cmocka_unit_test(survives_files_cut_anywhere),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
