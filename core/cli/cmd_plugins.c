/* cmd_plugins.c - `patchbay plugins`: what is there, what was refused and why, and the manual of each
 * plugin, made from its own table. */
#include "cli/cli.h"

#include "cli/args.h"
#include "cli/plugins_print.h"
#include "plugin/host.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: patchbay plugins [-c FILE] [--json] [NAME]\n"
	"Lists the plugins that are found, and the files that were refused, with the reason.\n"
	"With NAME: the options of that plugin, and what is known of its provider.\n\n"
	"  -c, --config FILE  look into the folders that FILE lists under `plugins:`, too\n"
	"      --json         print JSON\n"
	"  -h, --help         this text\n\n"
	"Folders are searched in this order: $PATCHBAY_PLUGIN_PATH (separated by colons), then those\n"
	"of the configuration, or the folder that patchbay was built with. Of two plugins with the\n"
	"same name, the first counts.\n"
	"Exit status: 0 done, 1 there is no such plugin or the configuration cannot be read, 2 wrong usage.\n";

static const char *sides(const patchbay_plugin *p)
{
	return p->source && p->sink ? "source, sink" : p->source ? "source" : "sink";
}

static void print_list(const struct registry *registry)
{
	size_t n = registry_count(registry), loaded = 0;

	for (size_t i = 0; i < n; i++) {
		const struct registry_entry *e = registry_at(registry, i);
		if (!e->plugin)
			continue;
		if (loaded++ == 0)
			printf("%-20s %-10s %-13s %s\n", "NAME", "VERSION", "SIDES", "SUMMARY");
		printf("%-20s %-10s %-13s %s\n%-20s %s\n", e->plugin->name, e->plugin->version, sides(e->plugin),
		       e->plugin->summary, "", e->path);
	}
	if (loaded == 0)
		printf("No plugins.\n");
	if (loaded < n)
		printf("\nNot taken:\n");
	for (size_t i = 0; i < n; i++)
		if (registry_at(registry, i)->refused)
			printf("  %s\n", registry_at(registry, i)->refused);
}

static int describe(struct registry *registry, const char *name, bool json)
{
	struct err err;
	const patchbay_plugin *plugin = registry_find(registry, name, &err);

	if (!plugin) {
		fprintf(stderr, "patchbay plugins: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *e = registry_at(registry, i);
		if (e->plugin == plugin)
			json ? plugins_print_json(e) : plugins_print_text(e);
	}
	return 0;
}

int cmd_plugins(int argc, char **argv)
{
	const char *path = NULL;
	bool json = false;
	const struct arg v[] = { ARG_CONFIG(&path), ARG_JSON(&json) };
	const struct args args = { "plugins", help, v, sizeof(v) / sizeof(v[0]), 0, 1, "one NAME at most" };
	patchbay_strs dirs = { 0 };
	struct err err;
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	status = 0;
	if (config_plugin_dirs(path, &dirs, &err) != 0) {
		fprintf(stderr, "patchbay plugins: %s\n", err.text);
		status = 1;
	}
	struct registry *registry = registry_create();
	registry_search(registry, dirs);
	if (optind < argc) {
		int described = describe(registry, argv[optind], json);
		status = status ? status : described;
	} else if (json) {
		plugins_print_list_json(registry);
	} else {
		print_list(registry);
	}
	registry_destroy(registry);
	config_plugin_dirs_free(&dirs);
	return status;
}
