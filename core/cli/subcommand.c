/* subcommand.c - from a subcommand's name to the subcommand. */
#include "cli/subcommand.h"

#include "base/mem.h"
#include "base/str.h"
#include "cli/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const char *command, const char *about, const struct subcommand *v, size_t n)
{
	printf("Usage: patchbay %s COMMAND [OPTION]...\n%s\n\nCommands:\n", command, about);
	for (size_t i = 0; i < n; i++)
		printf("  %-10s %s\n", v[i].name, v[i].about);
	printf("\n  -h, --help     this text; `patchbay %s COMMAND --help` for a command's own\n\n"
	       "Exit status: 0 done, 1 found wanting, 2 wrong usage.\n",
	       command);
}

static void complete(const char *begun, const struct subcommand *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		complete_offer(begun, v[i].name, v[i].about);
	complete_offer(begun, "--help", NULL);
}

static void say_unknown(const char *command, const char *name, const struct subcommand *v, size_t n)
{
	const char **names = xcalloc(n, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = v[i].name;
	const char *nearest = str_nearest(str_c(name), names, n);
	fprintf(stderr, "patchbay %s: there is no command '%s'%s%s%s; `patchbay %s --help` lists them\n", command, name,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "", command);
	free(names);
}

int subcommand_run(const char *command, const char *about, const struct subcommand *v, size_t n, int argc, char **argv)
{
	if (argc == 2 && complete_begun()) {
		complete(argv[1], v, n);
		return 0;
	}
	if (argc < 2) {
		fprintf(stderr, "patchbay %s: which command? `patchbay %s --help` lists them\n", command, command);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(command, about, v, n);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (strcmp(argv[1], v[i].name) == 0)
			return v[i].run(argc - 1, argv + 1);
	say_unknown(command, argv[1], v, n);
	return 2;
}
