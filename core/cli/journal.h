/* journal.h - what the subcommands of `patchbay journal` share: which folder is meant. */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include "cli/args.h"
#include "config/config.h"
#include "plugin/host.h"

#include <jansson.h>

int cmd_journal_check(int argc, char **argv);
int cmd_journal_repair(int argc, char **argv);
int cmd_journal_size(int argc, char **argv);
int cmd_journal_backup(int argc, char **argv);
int cmd_journal_prune(int argc, char **argv);
int cmd_journal_export(int argc, char **argv);
int cmd_journal_import(int argc, char **argv);

struct cli_journal {
	const char *config, *journal; /* as given: -c FILE, --journal FOLDER */
	char *folder;
};
#define CLI_JOURNAL_ARGS(j)                                                                                            \
	ARG_CONFIG(&(j).config),                                                                                       \
	{                                                                                                              \
		"journal", 0, ARG_TEXT, &(j).journal                                                                   \
	}
#define CLI_JOURNAL_HELP                                                                                               \
	"  -c, --config FILE     the configuration, of which only the journal's folder is read "                       \
	"(/etc/patchbay/routes.yaml)\n"                                                                                \
	"      --journal FOLDER  the folder itself\n"

/* Finds the folder. Not 0: said on stderr why not. */
int cli_journal_find(struct cli_journal *, const char *command);
/* Of the configuration, if it is readable: how large the journal may be, and which sinks there are. NULL without one,
 * or with --journal; what is wrong with it is not said. Free the configuration before the registry. */
struct config *cli_journal_config(const struct cli_journal *, struct registry **ret_registry);
/* The names of its sinks (it may be NULL), and of those that were given. free() the list, not the names. */
const char **cli_journal_sinks(const struct config *, const struct arg_list *given, size_t *ret_n);
/* From here on root works as the owner of the folder: what is made in it must be the daemon's. -1: err. */
int cli_journal_as_owner(const char *folder, struct err *err);
/* Prints it on one line, and frees it. */
void cli_journal_line(json_t *);

#endif
