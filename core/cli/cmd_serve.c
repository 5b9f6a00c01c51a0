/* cmd_serve.c - `patchbay serve`: the daemon, in the foreground. */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/args.h"
#include "cli/load.h"
#include "daemon/daemon.h"
#include "daemon/supervisor.h"
#include "guard/guard.h"
#include "plugin/load.h"

#include <stdio.h>

static const char help[] =
	"Usage: patchbay serve [-c FILE] [--verbose]\n"
	"\n"
	"Takes posts in, journals them, routes them; in the foreground, logging to stderr, until SIGTERM\n"
	"or SIGINT. Refuses to start with a configuration that `patchbay check` refuses. SIGHUP, as\n"
	"`patchbay reload`, takes up a changed configuration, changed secrets and changed plugins.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " CLI_CONFIG_PATH ")\n"
	"  -v, --verbose      log everything, but for plugins that `log` in FILE gives a level\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 stopped as it was told to, 1 it could not start, 2 wrong usage.\n";

static int work(void *ctx)
{
	const char *path = *(const char **)ctx;
	guard_arm(load_find_address);
	struct err err = { "" };
	int result = daemon_run(path, &err);
	if (result != 0 && err.text[0])
		log_error("cannot start: %s", err.text);
	guard_ending();
	return result == 0 ? 0 : 1;
}

int cmd_serve(int argc, char **argv)
{
	const char *path = CLI_CONFIG_PATH;
	bool verbose = false;
	const struct arg v[] = { ARG_CONFIG(&path), { "verbose", 'v', ARG_FLAG, &verbose } };
	const struct args args = { "serve", help, v, sizeof(v) / sizeof(v[0]), 0, 0, "name the file with -c FILE" };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	log_open(verbose);
	return supervisor_run(work, &path);
}
