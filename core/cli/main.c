/* main.c - from `patchbay COMMAND ...` to the command. */
#include "base/str.h"
#include "cli/cli.h"
#include "cli/complete.h"

#include <patchbay/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} commands[] = {
	{ "serve", cmd_serve, "take events in and deliver them, until told to stop" },
	{ "reload", cmd_reload, "have the running daemon take up a changed configuration, secret or plugin" },
	{ "check", cmd_check, "say everything that is wrong with a configuration" },
	{ "test", cmd_test, "try a configuration on requests, and compare what would become of them" },
	{ "plugins", cmd_plugins, "list the plugins, or describe one with its options" },
	{ "schema", cmd_schema, "print a JSON Schema of routes.yaml, for editors" },
	{ "plugin", cmd_plugin, "for those who make plugins: begin one, prove one" },
	{ "send", cmd_send, "play a provider: send one of its events, signed" },
	{ "events", cmd_events, "list what came in and what became of it" },
	{ "show", cmd_show, "show one event with its deliveries" },
	{ "explain", cmd_explain, "say all that is known about one event: why it went where it went" },
	{ "dead", cmd_dead, "list the deliveries that were given up" },
	{ "replay", cmd_replay, "deliver again what was given up" },
	{ "reverify", cmd_reverify, "admit what was refused, once its secret is mended" },
	{ "journal", cmd_journal, "check, mend, measure, back up the journal" },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))
static const char *const others[] = { "help", "--help", "--version" }; /* in the place of a command */

static void print_help(void)
{
	printf("Usage: patchbay COMMAND [OPTION]...\n"
	       "Routes events from the webhooks of providers to the places where they are wanted.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].about);
	printf("\n"
	       "  -h, --help     this text; `patchbay COMMAND --help` for a command's own\n"
	       "  -V, --version  the version of patchbay and of its plugin interface\n\n"
	       "Exit status: 0 done, 1 found wanting, 2 wrong usage.\n");
}

static int unknown(const char *name)
{
	const char *names[N_COMMANDS];

	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i].name;
	const char *nearest = str_nearest(str_c(name), names, N_COMMANDS);
	fprintf(stderr, "patchbay: there is no command '%s'", name);
	if (nearest)
		fprintf(stderr, "; did you mean '%s'?\n", nearest);
	else
		fprintf(stderr, "; `patchbay --help` lists them\n");
	return 2;
}

/* See complete.h. */
static int complete(int argc, char **argv)
{
	complete_begin();
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *command = &commands[i];
		if (argc == 2 || (argc == 3 && strcmp(argv[1], "help") == 0))
			complete_offer(argv[argc - 1], command->name, command->about);
		else if (argc > 2 && strcmp(argv[1], command->name) == 0)
			command->run(argc - 1, argv + 1);
	}
	for (size_t i = 0; argc == 2 && i < sizeof(others) / sizeof(others[0]); i++)
		complete_offer(argv[1], others[i], NULL);
	return 0;
}

/* A descriptor that is closed at the start would be taken by the next file that is opened, and what is
 * meant for people would be written into the journal. */
static void fill_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run(const struct command *command, int argc, char **argv)
{
	int status = command->run(argc, argv);
	int problem = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;
	if (!problem)
		return status;
	fprintf(stderr, "patchbay %s: not all of the output could be written: %s\n", command->name, strerror(problem));
	return status ? status : 1;
}

static int run_by_name(const char *name, int argc, char **argv)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return run(&commands[i], argc, argv);
	return unknown(name);
}

int main(int argc, char **argv)
{
	fill_standard_descriptors();
	if (argc < 2) {
		fprintf(stderr, "patchbay: which command? `patchbay --help` lists them\n");
		return 2;
	}
	const char *name = argv[1];
	if (!strcmp(name, "complete") && argc > 2)
		return complete(argc - 1, argv + 1);
	if (!strcmp(name, "help") && argc == 3)
		return run_by_name(argv[2], 2, (char *[]){ argv[2], (char[]){ "--help" }, NULL });
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_help();
		return 0;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		printf("patchbay %s (plugin interface %u.%u)\n", cli_version(), PATCHBAY_ABI_MAJOR, PATCHBAY_ABI_MINOR);
		return 0;
	}
	return run_by_name(name, argc - 1, argv + 1);
}
