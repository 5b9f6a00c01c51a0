/* cmd_plugin.c - `patchbay plugin`: what authors of plugins need. */
#include "cli/cli.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} subcommands[] = {
	{ "new", cmd_plugin_new, "make a folder with a plugin that builds at once" },
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_help(void)
{
	printf("Usage: patchbay plugin COMMAND [OPTION]...\n"
	       "For those who write plugins.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		printf("  %-10s %s\n", subcommands[i].name, subcommands[i].about);
	printf("\n"
	       "  -h, --help     this text; `patchbay plugin COMMAND --help` for a command's own\n\n"
	       "Exit status: 0 done, 1 found wanting, 2 wrong usage.\n");
}

static int unknown(const char *name)
{
	const char *names[N_SUBCOMMANDS];

	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		names[i] = subcommands[i].name;
	const char *nearest = str_nearest(str_c(name), names, N_SUBCOMMANDS);
	fprintf(stderr, "patchbay plugin: there is no command '%s'", name);
	if (nearest)
		fprintf(stderr, "; did you mean '%s'?\n", nearest);
	else
		fprintf(stderr, "; `patchbay plugin --help` lists them\n");
	return 2;
}

int cmd_plugin(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "patchbay plugin: which command? `patchbay plugin --help` lists them\n");
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return 0;
	}
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		if (strcmp(subcommands[i].name, argv[1]) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
