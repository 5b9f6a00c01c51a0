/* cmd_journal.c - `patchbay journal`: what is done to the journal as a whole. From its subcommand's name to the
 * subcommand. */
#include "cli/cli.h"

#include "base/mem.h"
#include "base/str.h"
#include "cli/journal.h"
#include "cli/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Each is given its own name as argv[0]. */
static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} subcommands[] = {
	{ "check", cmd_journal_check, "read all of it, and say what is damaged and what that means" },
	{ "repair", cmd_journal_repair, "mend what is damaged; nothing is deleted" },
	{ "size", cmd_journal_size, "how large it is, what of it is still owed, and by which sink it is held up" },
	{ "prune", cmd_journal_prune, "give up finished events sooner than `retention` would" },
	{ "backup", cmd_journal_backup, "make a copy, or bring one up to date, while the daemon runs" },
	{ "export", cmd_journal_export, "write events out as lines of JSON" },
	{ "import", cmd_journal_import, "take such lines in" },
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void print_help(FILE *to)
{
	fprintf(to, "Usage: patchbay journal COMMAND [OPTION]...\n"
		    "For the journal as a whole. (`patchbay events` lists what is in it.)\n\n"
		    "Commands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		fprintf(to, "  %-10s %s\n", subcommands[i].name, subcommands[i].about);
	fprintf(to, "\n  -h, --help     this text; `patchbay journal COMMAND --help` for a command's own\n\n"
		    "Exit status: 0 done, 1 found wanting, 2 wrong usage.\n");
}

int cmd_journal(int argc, char **argv)
{
	const char *names[N_SUBCOMMANDS];

	if (argc < 2) {
		fprintf(stderr, "patchbay journal: which command? `patchbay journal --help` lists them\n");
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
	fprintf(stderr, "patchbay journal: there is no command '%s'%s%s%s; `patchbay journal --help` lists them\n",
		argv[1], nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
	return 2;
}

/* ---- What the subcommands share */

int cli_journal_find(struct cli_journal *j, const char *command)
{
	struct err err = { "" };
	j->folder =
		j->journal ? xstrdup(j->journal) : config_journal_folder(j->config ? j->config : CLI_CONFIG_PATH, &err);
	if (j->folder)
		return 0;
	fprintf(stderr, "%s\npatchbay %s: so it is not known where the journal is; name it with --journal FOLDER\n",
		err.text, command);
	return -1;
}

struct config *cli_journal_config(const struct cli_journal *j, struct registry **ret_registry)
{
	struct err ignored;
	*ret_registry = NULL;
	if (j->journal && !j->config)
		return NULL;
	return cli_load_for_looking(j->config ? j->config : CLI_CONFIG_PATH, ret_registry, &ignored);
}

void cli_journal_line(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

const char *cli_bytes(uint64_t bytes, char out[CLI_BYTES_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;
	for (; value >= 1024 && i + 1 < sizeof units / sizeof *units; i++)
		value /= 1024;
	snprintf(out, CLI_BYTES_SIZE, i ? "%.1f %s" : "%.0f %s", value, units[i]);
	return out;
}
