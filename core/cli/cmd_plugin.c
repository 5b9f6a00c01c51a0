/* cmd_plugin.c - `patchbay plugin`: for those who make plugins. */
#include "cli/cli.h"

#include "cli/subcommand.h"

static const struct subcommand subcommands[] = {
	{ "new", cmd_plugin_new, "make a folder with a plugin that builds at once" },
	{ "check", cmd_plugin_check, "prove that a plugin's file keeps the contract" },
};

int cmd_plugin(int argc, char **argv)
{
	return subcommand_run("plugin",
			      "For those who make plugins. (`patchbay plugins` lists those that are installed.)",
			      subcommands, sizeof subcommands / sizeof *subcommands, argc, argv);
}
