/* load.c - the configuration and its plugins, for the commands that need them. */
#include "cli/load.h"

#include <stdio.h>

struct config *cli_load_faults(const char *path, struct registry **ret_registry, struct config_faults *ret_faults)
{
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct config *config = config_load(path, &plugins, ret_faults);
	if (!config) {
		registry_destroy(registry);
		return NULL;
	}
	*ret_registry = registry;
	return config;
}

struct config *cli_load_config(const char *path, struct registry **ret_registry)
{
	struct config_faults faults = { 0 };
	struct config *config = cli_load_faults(path, ret_registry, &faults);
	for (size_t i = 0; i < faults.n; i++)
		fprintf(stderr, "%s\n", faults.v[i].text);
	config_faults_free(&faults);
	return config;
}
