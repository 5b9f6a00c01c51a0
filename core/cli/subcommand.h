/* subcommand.h - commands that have commands of their own, such as `patchbay journal check`. */
#ifndef CLI_SUBCOMMAND_H
#define CLI_SUBCOMMAND_H

#include <stddef.h>

struct subcommand { /* each is given its own name as argv[0] */
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
};

/* Runs the one that argv[1] names, and returns its exit status. command: "journal"; about: for --help, what all of them
 * are for. */
int subcommand_run(const char *command, const char *about, const struct subcommand *, size_t n, int argc, char **argv);

#endif
