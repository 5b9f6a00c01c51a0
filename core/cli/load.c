/* load.c - the configuration and its plugins, for the commands that need them. */
#include "cli/load.h"

#include <stdio.h>

typedef struct config *load_config(const char *, const struct config_plugins *, struct config_faults *);

static struct config *load(load_config *how, const char *path, struct registry **ret_registry,
			   struct config_faults *ret_faults)
{
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct config *config = how(path, &plugins, ret_faults);
	if (!config) {
		registry_destroy(registry);
		return NULL;
	}
	*ret_registry = registry;
	return config;
}

static struct config *load_and_warn(const char *path, const struct config_plugins *plugins,
				    struct config_faults *faults)
{
	struct config *config = config_load(path, plugins, faults);
	registry_warn(plugins->ctx, path, faults);
	return config;
}

struct config *cli_load_faults(const char *path, struct registry **ret_registry, struct config_faults *ret_faults)
{
	return load(load_and_warn, path, ret_registry, ret_faults);
}

struct config *cli_load_for_testing(const char *path, struct registry **ret_registry, struct config_faults *ret_faults)
{
	return load(config_load_for_testing, path, ret_registry, ret_faults);
}

struct config *cli_load_for_looking(const char *path, struct registry **ret_registry, struct err *err)
{
	struct config_faults faults = { 0 };
	struct config *config = load(config_load_for_looking, path, ret_registry, &faults);
	for (size_t i = faults.n; !config && i-- > 0;)
		if (!faults.v[i].warning)
			err_set(err, "%s", faults.v[i].text);
	config_faults_free(&faults);
	return config;
}

struct config *cli_load_config(const char *path, struct registry **ret_registry)
{
	struct config_faults faults = { 0 };
	struct config *config = cli_load_faults(path, ret_registry, &faults);
	for (size_t i = 0; !config && i < faults.n; i++)
		fprintf(stderr, "%s\n", faults.v[i].text);
	config_faults_free(&faults);
	return config;
}
