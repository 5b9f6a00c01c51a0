/* cmd_test.c - `patchbay test`: golden tests of a configuration. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/golden.h"
#include "cli/load.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: patchbay test [-c FILE] [--json] TESTS\n"
	"Tests a configuration: each test of the file TESTS is a request, and what is expected to become of it: "
	"whether\n"
	"it is accepted, what event it is, which sinks get it, what they would send. Nothing is sent or written, and\n"
	"secrets that cannot be read here are made up.\n\n"
	"  -c, --config FILE  the configuration, instead of the one that TESTS names (without either: " CLI_CONFIG_PATH
	")\n"
	"      --json         {\"ok\", \"passed\", \"failed\", \"tests\": [{\"name\", \"line\", \"ok\", \"failures\": "
	"[{\"line\",\n"
	"                     \"column\", \"message\"}]}]} on stdout\n"
	"  -h, --help         this text\n\n"
	"A test file:\n\n"
	"  config: routes.yaml               # seen from the test file\n"
	"  tests:\n"
	"  - name: hard brakes go to safety\n"
	"    source: fleet\n"
	"    sample: hard_brake              # of its plugin, see `patchbay send --list`; or body: '...', body_file: "
	"PATH\n"
	"    set: {vehicle.number: \"42\"}     # values of the body, changed before it is signed\n"
	"    headers: {x-extra: 1}\n"
	"    signed: yes                     # or: wrong, no\n"
	"    client: 192.0.2.7               # where it comes from; 127.0.0.1\n"
	"    received: 2026-01-01T00:00:00Z  # when; this is also what it is if left out\n"
	"    details: {name: Ann}            # as if the source had fetched them\n"
	"    event: 1                        # which event of the request is looked at\n"
	"    expect:                         # each line may be left out\n"
	"      verdict: accepted             # or: refused, malformed, empty, answered\n"
	"      why: HMAC-SHA1                # a part of what the plugin says to that\n"
	"      events: 1                     # so many in the request\n"
	"      type: x                       # also kind, subject, time, time_source, test, dedupe\n"
	"      sinks: [audit, safety]        # exactly these get it\n"
	"      why_not: {archive: when}      # this one does not, for a reason that contains this text\n"
	"      rendered:                     # what a sink would send, as its plugin shows it\n"
	"        safety: {text: 'Hard brake: vehicle 42'}\n\n"
	"Exit status: 0 all tests passed, 1 not so, 2 wrong usage.\n";

static void print_faults(const struct config_faults *faults, bool warnings)
{
	for (size_t i = 0; i < faults->n; i++)
		if (warnings || !faults->v[i].warning)
			fprintf(stderr, "%s\n", faults->v[i].text);
}

static json_t *test_json(const struct golden_test *t, const struct config_faults *failures)
{
	json_t *list = json_array();
	for (size_t i = 0; i < failures->n; i++)
		json_array_append_new(list, json_pack("{s:i, s:i, s:s+}", "line", failures->v[i].line, "column",
						      failures->v[i].column, "message", failures->v[i].message, ""));
	return json_pack("{s:s%, s:i, s:b, s:o}", "name", t->name.p, t->name.n, "line", t->line, "ok", failures->n == 0,
			 "failures", list);
}

static void print_text(const struct golden_test *t, const struct config_faults *failures)
{
	printf("%-7s %.*s\n", failures->n ? "FAILED" : "ok", STR_ARG(t->name));
	for (size_t i = 0; i < failures->n; i++)
		printf("        %s\n", failures->v[i].text);
}

static int run_all(const struct golden *g, const struct config *config, bool json)
{
	struct golden_bench bench;
	json_t *tests = json_array();
	size_t failed = 0;

	golden_bench_init(&bench, config);
	for (size_t i = 0; i < g->n; i++) {
		struct config_faults failures = { 0 };
		struct faults faults = { .path = g->loader.faults.path, .list = &failures };
		golden_run(&bench, &g->v[i], &faults);
		faults_sort(&failures);
		failed += failures.n > 0;
		if (json)
			json_array_append_new(tests, test_json(&g->v[i], &failures));
		else
			print_text(&g->v[i], &failures);
		config_faults_free(&failures);
	}
	golden_bench_fini(&bench);
	if (json) {
		json_t *sum = json_pack("{s:b, s:I, s:I, s:O}", "ok", failed == 0, "passed",
					(json_int_t)(g->n - failed), "failed", (json_int_t)failed, "tests", tests);
		json_dumpf(sum, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(sum);
	} else if (failed) {
		printf("%zu of %zu tests failed\n", failed, g->n);
	} else {
		printf("%zu test%s passed\n", g->n, g->n == 1 ? "" : "s");
	}
	json_decref(tests);
	return failed ? 1 : 0;
}

static int test(const char *path, const char *config_path, bool json)
{
	struct config_faults found = { 0 }, config_found = { 0 };
	struct registry *registry = NULL;
	struct config *config = NULL;
	struct golden golden;
	char *named = NULL;
	int status = 1;

	if (golden_open(&golden, path, &found, &named) < 0)
		goto out;
	if (!config_path)
		config_path = named ? named : CLI_CONFIG_PATH;
	config = cli_load_for_testing(config_path, &registry, &config_found);
	if (!config) {
		print_faults(&config_found, false);
		goto out;
	}
	if (golden_read(&golden, config) == 0)
		status = run_all(&golden, config, json);
	faults_sort(&found);
out:
	print_faults(&found, true);
	golden_close(&golden);
	config_free(config);
	registry_destroy(registry);
	config_faults_free(&found);
	config_faults_free(&config_found);
	free(named);
	return status;
}

int cmd_test(int argc, char **argv)
{
	const char *config = NULL;
	bool json = false;
	const struct arg v[] = { ARG_CONFIG(&config), ARG_JSON(&json) };
	const struct args args = { "test", help, v, sizeof(v) / sizeof(v[0]), 1, 1, "one file of TESTS, please" };
	int status = args_parse(&args, argc, argv);
	return status >= 0 ? status : test(argv[optind], config, json);
}
