/* cmd_serve.c - `patchbay serve`: the daemon, in the foreground. */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/load.h"
#include "daemon/daemon.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
	"Usage: patchbay serve [-c FILE] [--verbose]\n"
	"\n"
	"Takes posts in, journals them, routes them; in the foreground, logging to stderr, until SIGTERM\n"
	"or SIGINT. Refuses to start with a configuration that `patchbay check` refuses.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " CLI_CONFIG_PATH ")\n"
	"  -v, --verbose      log more\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 stopped as it was told to, 1 it could not start, 2 wrong usage.\n";

int cmd_serve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "verbose", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' }, { 0 }
	};
	const char *path = CLI_CONFIG_PATH;
	for (int c; (c = getopt_long(argc, argv, "c:vh", options, NULL)) != -1;) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "patchbay serve: what is '%s'? It takes options only; see patchbay serve --help\n", argv[optind]);
		return 2;
	}
	struct registry *registry = NULL;
	struct config *config = cli_load_config(path, &registry);
	if (!config)
		return 1;
	struct err err = { "" };
	int result = daemon_run(config, &err);
	if (result != 0)
		log_error("cannot start: %s", err.text);
	config_free(config);
	registry_destroy(registry);
	return result == 0 ? 0 : 1;
}
