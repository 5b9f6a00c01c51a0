/* cmd_schema.c - `patchbay schema`: routes.yaml as a JSON Schema, so that editors complete and check it. */
#include "cli/cli.h"

#include "cli/args.h"
#include "cli/schema.h"

#include <stdio.h>

static const char help[] =
	"Usage: patchbay schema [-c FILE]\n"
	"Prints a JSON Schema (draft-07) of routes.yaml, with the keys of every plugin that is found, so that an\n"
	"editor completes and checks the file. It is made from the tables that `patchbay check` goes by, but it\n"
	"cannot see everything: run that, too.\n\n"
	"  -c, --config FILE  look into the folders that FILE lists under `plugins:`, too\n"
	"  -h, --help         this text\n\n"
	"Editors that use yaml-language-server (VS Code, Neovim, Helix) find it by a line at the top of "
	"routes.yaml:\n\n"
	"  # yaml-language-server: $schema=/etc/patchbay/routes.schema.json\n\n"
	"Exit status: 0 done, 1 the configuration cannot be read, 2 wrong usage.\n";

int cmd_schema(int argc, char **argv)
{
	const char *path = NULL;
	const struct arg v[] = { ARG_CONFIG(&path) };
	const struct args args = { "schema", help, v, sizeof(v) / sizeof(v[0]), 0, 0, "name the file with -c FILE" };
	patchbay_strs dirs = { 0 };
	struct err err;
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	status = 0;
	if (config_plugin_dirs(path, &dirs, &err) != 0) {
		fprintf(stderr, "patchbay schema: %s\n", err.text);
		status = 1;
	} else {
		struct registry *registry = registry_create();
		registry_search(registry, dirs);
		json_t *schema = schema_make(registry);
		json_dumpf(schema, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(schema);
		registry_destroy(registry);
	}
	config_plugin_dirs_free(&dirs);
	return status;
}
