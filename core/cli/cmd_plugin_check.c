/* cmd_plugin_check.c - `patchbay plugin check`: does a plugin's file keep the contract? */
#include "cli/cli.h"

#include "base/clock.h"
#include "cli/args.h"
#include "conform/conform.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: patchbay plugin check [OPTION]... FILE.so\n"
	"Tries whether a plugin keeps the contract of <patchbay/plugin.h>, each test in a process of its own:\n"
	"what it exports, its options, its signatures, its events under hostile input, threads, leaks, what it\n"
	"says when its destination fails. Nothing is sent anywhere.\n\n"
	"      --set [SIDE.]OPTION=VALUE  an option of the plugin, where it cannot be guessed; the value as in\n"
	"                                 routes.yaml; may be repeated. SIDE: source or sink, where both have it\n"
	"      --only NAME   only the tests of this name; a glob: 'signature.*'\n"
	"      --list        name the tests, and what each proves\n"
	"      --seed N      repeat what is random\n"
	"      --in-process  do not fork: for a debugger, with --only\n"
	"      --json        {\"file\", \"seed\", \"tests\": [{\"test\", \"verdict\", \"ms\", \"why\", \"info\"}],\n"
	"                    \"passed\", \"failed\", \"skipped\", \"ok\"} on stdout\n"
	"  -h, --help        this text\n\n"
	"Exit status: 0 all passed (what was skipped says why), 1 a test failed, or the plugin needs options\n"
	"that cannot be guessed, 2 wrong usage.\n";

int cmd_plugin_check(int argc, char **argv)
{
	struct conform_order order = { .seed = (uint64_t)clock_wall_ns() / 1000 % 1000000000 };
	struct arg_list set = { 0 };
	bool list = false;
	const struct arg v[] = {
		{ "set", 0, ARG_LIST, &set },
		{ "only", 0, ARG_TEXT, &order.only },
		{ "list", 0, ARG_FLAG, &list },
		{ "seed", 0, ARG_NUMBER, &order.seed },
		{ "in-process", 0, ARG_FLAG, &order.in_process },
		ARG_JSON(&order.json),
	};
	const struct args args = { "plugin check", help, v, sizeof(v) / sizeof(v[0]), 0, 1, "one FILE.so, please" };
	int status = args_parse(&args, argc, argv);

	if (status < 0 && list) {
		conform_list(order.json);
		status = 0;
	}
	for (size_t i = 0; status < 0 && i < set.n; i++)
		if (!strchr(set.v[i], '=') || set.v[i][0] == '=' || strchr(set.v[i], '\n'))
			status = args_wrong(&args, "--set wants OPTION=VALUE, on one line, not '%s'", set.v[i]);
	if (status < 0 && optind >= argc)
		status = args_wrong(&args, "which file? one FILE.so, please");
	/* Without a folder before it, a name would be searched for among the system's libraries. */
	char *path = status < 0 ? realpath(argv[optind], NULL) : NULL;
	if (status < 0 && !path)
		status = args_wrong(&args, "there is no file %s", argv[optind]);
	if (status < 0) {
		order.path = path;
		order.set = set.v;
		order.n_set = set.n;
		status = conform_check(&order);
	}
	free(path);
	arg_list_free(&set);
	return status;
}
