/* test_args.c - what a command line says gets to its variables, and what is wrong with it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/args.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *config;
static bool json;
static uint64_t limit;
static int64_t since;
static char said[1000]; /* on stderr, or for --help on stdout */

/* Runs args_parse() on words separated by single spaces, "" for none; ~ stands for a space in a word. */
static int parse(int min, int max, const char *line)
{
	static const char help[] = "all about it\n";
	const struct arg v[] = {
		ARG_CONFIG(&config),
		{ "limit", 'n', ARG_NUMBER, &limit },
		{ "since", 0, ARG_TIME, &since },
		ARG_JSON(&json),
	};
	const struct args args = { "list", help, v, sizeof(v) / sizeof(v[0]), min, max, "one ID, please" };
	char copy[200], name[] = "list";
	char *argv[20] = { name };
	int argc = 1;
	FILE *out = tmpfile();
	assert_non_null(out);
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		for (char *c = word; *c; c++)
			*c = *c == '~' ? ' ' : *c;
		argv[argc++] = word;
	}
	config = "default";
	json = false;
	limit = 20;
	since = -1;
	fflush(stdout);
	int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(out), STDERR_FILENO);
	int status = args_parse(&args, argc, argv);
	fflush(stdout);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	close(old_out);
	close(old_err);
	rewind(out);
	said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
	fclose(out);
	return status;
}

static void values_get_to_their_variables(void **state)
{
	(void)state;
	assert_int_equal(parse(0, 0, ""), -1);
	assert_string_equal(config, "default");
	assert_int_equal(parse(1, 1, "--json 0193 -c a.yaml --limit=7"), -1);
	assert_string_equal(config, "a.yaml");
	assert_int_equal(limit, 7);
	assert_true(json);
	assert_int_equal(parse(0, -1, "-n0 a b c"), -1);
	assert_int_equal(limit, 0);
	assert_false(json);
	assert_string_equal(said, "");
}

static void times(void **state)
{
	int64_t hour = 3600 * NS_PER_S;
	(void)state;
	assert_int_equal(parse(0, 0, "--since 2026-11-22T04:00:00Z"), -1);
	assert_int_equal(since, INT64_C(1795320000) * NS_PER_S);
	assert_int_equal(parse(0, 0, "--since 2026-11-22"), -1);
	assert_int_equal(since, INT64_C(1795305600) * NS_PER_S);
	assert_int_equal(parse(0, 0, "--since 2h"), -1);
	assert_in_range(clock_wall_ns() - since, 2 * hour, 2 * hour + 60 * NS_PER_S);
	assert_int_equal(parse(0, 0, "--since 3d~ago"), -1);
	assert_in_range(clock_wall_ns() - since, 72 * hour, 72 * hour + 60 * NS_PER_S);
	assert_int_equal(parse(0, 0, "--since 999999999d"), -1); /* before all times */
	assert_int_equal(since, 0);
	assert_int_equal(parse(0, 0, "--since yesterday"), 2);
	assert_string_equal(said, "patchbay list: --since is like 2h or 2026-11-22T04:00:00Z, not 'yesterday'\n"
				  "`patchbay list --help` explains\n");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_int_equal(parse(0, 0, "--jsno"), 2);
	assert_string_equal(said, "patchbay list: there is no option '--jsno'; did you mean --json?\n"
				  "`patchbay list --help` explains\n");
	assert_int_equal(parse(0, 0, "-x"), 2);
	assert_non_null(strstr(said, "there is no option -x\n"));
	assert_int_equal(parse(0, 0, "--limit"), 2);
	assert_non_null(strstr(said, "--limit wants a value\n"));
	assert_int_equal(parse(0, 0, "-n"), 2);
	assert_non_null(strstr(said, "--limit wants a value\n"));
	assert_int_equal(parse(0, 0, "-n -1"), 2);
	assert_non_null(strstr(said, "--limit is a number, not '-1'\n"));
	assert_int_equal(parse(0, 0, "-n 99999999999999999999"), 2);
	assert_int_equal(parse(1, 1, ""), 2);
	assert_non_null(strstr(said, "patchbay list: one ID, please\n"));
	assert_int_equal(parse(1, 1, "a b"), 2);
	assert_non_null(strstr(said, "'b' is one argument too many; one ID, please\n"));
}

static void help_is_for_everyone(void **state)
{
	(void)state;
	assert_int_equal(parse(1, 1, "--help"), 0);
	assert_string_equal(said, "all about it\n");
	assert_int_equal(parse(1, 1, "-h"), 0);
	assert_string_equal(said, "all about it\n");
}

static void what_comes_several_times_is_listed(void **state)
{
	char name[] = "list", a[] = "--set=a=1", b[] = "--set", c[] = "b=2";
	char *argv[] = { name, a, b, c, NULL };
	struct arg_list set = { 0 };
	const struct arg v[] = { { "set", 0, ARG_LIST, &set } };
	const struct args args = { "list", "", v, 1, 0, 0, NULL };
	(void)state;
	assert_int_equal(args_parse(&args, 4, argv), -1);
	assert_int_equal(set.n, 2);
	assert_string_equal(set.v[0], "a=1");
	assert_string_equal(set.v[1], "b=2");
	arg_list_free(&set);
	assert_int_equal(set.n, 0);
	assert_null(set.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_get_to_their_variables),
		cmocka_unit_test(times),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(help_is_for_everyone),
		cmocka_unit_test(what_comes_several_times_is_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
