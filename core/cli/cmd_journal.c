/* cmd_journal.c - `patchbay journal`: what is done to the journal as a whole. */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/journal.h"
#include "cli/load.h"
#include "cli/subcommand.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct subcommand subcommands[] = {
	{ "check", cmd_journal_check, "read all of it, and say what is damaged and what that means" },
	{ "repair", cmd_journal_repair, "mend what is damaged; nothing is deleted" },
	{ "size", cmd_journal_size, "how large it is, what of it is still owed, and by which sink it is held up" },
	{ "prune", cmd_journal_prune, "give up finished events sooner than `retention` would" },
	{ "backup", cmd_journal_backup, "make a copy, or bring one up to date, while the daemon runs" },
	{ "export", cmd_journal_export, "write events out as lines of JSON" },
	{ "import", cmd_journal_import, "take such lines in" },
};

int cmd_journal(int argc, char **argv)
{
	return subcommand_run("journal", "For the journal as a whole. (`patchbay events` lists what is in it.)",
			      subcommands, sizeof subcommands / sizeof *subcommands, argc, argv);
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

const char **cli_journal_sinks(const struct config *config, const struct arg_list *given, size_t *ret_n)
{
	size_t n = 0, n_given = given ? given->n : 0, n_sinks = config ? config->n_sinks : 0;
	const char **names = xcalloc(n_given + n_sinks + 1, sizeof *names);
	for (size_t i = 0; i < n_given; i++)
		names[n++] = given->v[i];
	for (size_t i = 0; i < n_sinks; i++)
		names[n++] = config->sinks[i].name;
	*ret_n = n;
	return names;
}

int cli_journal_as_owner(const char *folder, struct err *err)
{
	struct stat st;
	if (geteuid() != 0 || stat(folder, &st) == -1 || st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 && setuid(st.st_uid) == 0)
		return 0;
	return err_set(err, "%s belongs to another user, and so must what is made in it: %s; run this as that user",
		       folder, strerror(errno));
}

void cli_journal_line(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}
