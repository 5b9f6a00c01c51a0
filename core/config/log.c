/* log.c - `log`: what is written into the log, and how. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"

#include <stdlib.h>

static const char *const formats[] = { "logfmt", "json", NULL };                   /* enum log_format */
static const char *const levels[] = { "error", "warning", "info", "debug", NULL }; /* enum log_level */

static const patchbay_option plugin_level =
	OPTION_BY_HAND(PATCHBAY_T_ENUM, "NAME", .one_of = levels, .help = "the level of what is about this plugin");

const patchbay_option config_log_options[CONFIG_N_LOG_OPTIONS] = {
	OPTION_OF(PATCHBAY_T_ENUM, struct log_settings, format, "format", .def = "logfmt", .one_of = formats,
		  .help = "how a line is written"),
	OPTION_OF(PATCHBAY_T_ENUM, struct log_settings, level, "level", .def = "info", .one_of = levels,
		  .help = "what is less urgent is not written"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "plugins", .fields = &plugin_level, .n_fields = 1,
		       .help = "levels of single plugins: {NAME: debug}"),
};

static void load_plugin_level(struct loader *l, const struct node *node, struct log_settings *ret)
{
	int64_t level = LOG_LEVEL_INFO;
	struct err err;
	char *name = xstrndup(node->key.p, node->key.n);
	patchbay_option option = plugin_level;
	option.name = name;
	bool known = !l->plugins || l->plugins->find(l->plugins->ctx, name, &err);
	if (!known)
		fault_error(&l->faults, node->key_line, node->key_column, "'log': %s", err.text);
	if (option_read(l, &option, node, &level) < 0 || !known)
		free(name);
	else
		ret->plugins[ret->n_plugins++] = (struct log_plugin_level){ name, (enum log_level)level };
}

void load_log(struct loader *l, const struct node *node, struct log_settings *ret)
{
	const struct option_table table = { .v = config_log_options, .n = CONFIG_N_LOG_OPTIONS, .who = "'log'" };
	options_fill(l, &table, node, ret);
	const struct node *plugins = node_get(node, "plugins");
	if (!plugins || node_is_null(plugins))
		return;
	if (plugins->kind != NODE_MAP) {
		loader_wrong_kind(l, plugins, "'plugins' in 'log'", "'NAME: level' lines");
		return;
	}
	ret->plugins = xcalloc(plugins->n + 1, sizeof *ret->plugins);
	for (size_t i = 0; i < plugins->n; i++)
		load_plugin_level(l, &plugins->items[i], ret);
}

void config_log(const char *path, struct log_settings *ret)
{
	struct config_faults found = { 0 };
	struct loader l = { .faults = { path, &found, 0 } };
	struct node *root = yaml_load(path, &l.faults);
	*ret = (struct log_settings){ .level = LOG_LEVEL_INFO };
	load_log(&l, root ? node_get(root, "log") : NULL, ret);
	node_free(root);
	config_faults_free(&found);
}

void config_log_free(struct log_settings *settings)
{
	for (size_t i = 0; i < settings->n_plugins; i++)
		free((void *)(uintptr_t)settings->plugins[i].name);
	free(settings->plugins);
	*settings = (struct log_settings){ 0 };
}
