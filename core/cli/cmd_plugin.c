/* cmd_plugin.c - `patchbay plugin`: for those who make plugins. From its subcommand's name to the subcommand. */
#include "cli/cli.h"

#include "base/str.h"
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

/* Each is given its own name as argv[0]. */
static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} subcommands[] = {
	{ "new", cmd_plugin_new, "make a folder with a plugin that builds at once" },
	{ "check", cmd_plugin_check, "prove that a plugin's file keeps the contract" },
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_help(FILE *to)
{
	fprintf(to, "Usage: patchbay plugin COMMAND [OPTION]...\n"
		    "For those who make plugins. (`patchbay plugins` lists those that are installed.)\n\n"
		    "Commands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		fprintf(to, "  %-10s %s\n", subcommands[i].name, subcommands[i].about);
	fprintf(to, "\n  -h, --help     this text; `patchbay plugin COMMAND --help` for a command's own\n\n"
		    "Exit status: 0 done, 1 found wanting, 2 wrong usage.\n");
}

int cmd_plugin(int argc, char **argv)
{
	const char *names[N_SUBCOMMANDS];

	if (argc == 2 && complete_begun()) {
		for (size_t i = 0; i < N_SUBCOMMANDS; i++)
			complete_offer(argv[1], subcommands[i].name, subcommands[i].about);
		complete_offer(argv[1], "--help", NULL);
		return 0;
	}
	if (argc < 2) {
		fprintf(stderr, "patchbay plugin: which command? `patchbay plugin --help` lists them\n");
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return 0;
	}
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
		names[i] = subcommands[i].name;
	}
	const char *nearest = str_nearest(str_c(argv[1]), names, N_SUBCOMMANDS);
	fprintf(stderr, "patchbay plugin: there is no command '%s'%s%s%s; `patchbay plugin --help` lists them\n",
		argv[1], nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
	return 2;
}
