/* instances.c - `sources` and `sinks`: plugins and what they are told. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"
#include "config/scalar.h"

#include <stdlib.h>
#include <string.h>

#define PATH_SECRET_MIN 8
#define SILENCE_MIN 100
#define SILENCE_MAX (INT64_C(365) * 86400000)
#define NAME_MAX_LENGTH ((int)CONFIG_NAME_SIZE - 1)

enum { PLUGIN, PATH_SECRET, SILENCE }; /* `plugin` is the first of sinks, too */

const patchbay_option config_source_options[] = {
	[PLUGIN] = OPTION_BY_HAND(PATCHBAY_T_STR, "plugin", .flags = PATCHBAY_F_REQUIRED,
				  .help = "which plugin this source uses"),
	[PATH_SECRET] = OPTION_OF(
		PATCHBAY_T_STRS, struct config_source, path_secret, "path_secret", .flags = PATCHBAY_F_SECRET,
		.help = "posts must come to /in/NAME/SECRET; a list while it changes; at least 8 of A-Z a-z 0-9 . _ ~ "
			"-"),
	[SILENCE] = OPTION_BY_HAND(
		PATCHBAY_T_STR, "silence", .def = "auto",
		.help = "an alarm after so long without anything genuine: a duration, off, or auto (by its rhythm)"),
};
const size_t config_n_source_options = sizeof(config_source_options) / sizeof(*config_source_options);
const size_t config_n_source_options_1_0 = SILENCE;

static void check_name(struct loader *l, const struct node *node, const char *what)
{
	patchbay_str name = node->key;
	bool good = name.n <= (size_t)NAME_MAX_LENGTH;
	for (size_t i = 0; good && i < name.n; i++) {
		char c = name.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && (c == '_' || c == '-'));
	}
	if (!good)
		fault_error(&l->faults, node->key_line, node->key_column,
			    "'%.*s' cannot name a %s; use up to %d of a-z 0-9 _ -, beginning with a letter or digit",
			    SHOWN(name), what, NAME_MAX_LENGTH);
}

static const patchbay_plugin *read_plugin(struct loader *l, const struct node *node, const char *who, bool sink)
{
	const patchbay_option *option = sink ? &config_sink_options[PLUGIN] : &config_source_options[PLUGIN];
	const struct node *at = node_get(node, "plugin");
	patchbay_str name = { NULL, 0 };
	struct err err = { "" };
	if (!at) {
		fault_error(&l->faults, node->key_line, node->key_column,
			    "%s needs 'plugin: NAME'; `patchbay plugins` lists them", who);
		return NULL;
	}
	if (option_read(l, option, at, &name) < 0)
		return NULL;
	const patchbay_plugin *plugin = l->plugins->find(l->plugins->ctx, name.p, &err);
	if (!plugin) {
		fault_error(&l->faults, at->line, at->column, "%s", err.text);
	} else if (sink ? !plugin->sink : !plugin->source) {
		fault_error(&l->faults, at->line, at->column,
			    "plugin '%s' has no %s side; it can only be used for a %s", plugin->name,
			    sink ? "sink" : "source", sink ? "source" : "sink");
		plugin = NULL;
	}
	option_free(option, &name);
	return plugin;
}

/* What the plugin declares, and then what it says about all of it. */
static void *read_options(struct loader *l, const struct node *node, const char *who, const patchbay_plugin *plugin,
			  bool sink, struct config_secrets *secrets)
{
	struct option_table table = {
		.v = sink ? plugin->sink->options : plugin->source->options,
		.n = sink ? plugin->sink->n_options : plugin->source->n_options,
		.common = sink ? config_sink_options : config_source_options,
		.n_common = sink ? config_n_sink_options : config_n_source_options,
		.who = who,
		.line = node->key_line,
		.column = node->key_column,
	};
	struct err err = { "" };
	void *options = xcalloc(1, sink ? plugin->sink->options_size : plugin->source->options_size);
	size_t made_up = l->made_up;
	l->plugin = plugin->name;
	l->secrets = secrets;
	int r = options_fill(l, &table, node, options);
	l->plugin = NULL;
	l->secrets = NULL;
	if (r < 0 || !l->plugins->check)
		return options;
	if (l->plugins->check(l->plugins->ctx, plugin, sink, options, &err) != 0 && l->made_up == made_up)
		fault_error(&l->faults, node->key_line, node->key_column, "%s: %s", who, err.text);
	else if (err.text[0])
		fault_warning(&l->faults, node->key_line, node->key_column, "%s: %s", who, err.text);
	return options;
}

static void read_path_secret(struct loader *l, const struct node *node, struct config_source *source)
{
	const struct node *at = node_get(node, "path_secret");
	patchbay_strs *ret = &source->path_secret;
	if (!at)
		return;
	l->secrets = &source->secrets;
	int r = option_read(l, &config_source_options[PATH_SECRET], at, ret);
	l->secrets = NULL;
	if (r < 0 || l->looking)
		return;
	for (size_t i = 0; i < ret->n; i++) {
		const struct node *item = at->kind == NODE_LIST ? &at->items[i] : at;
		patchbay_str s = ret->v[i];
		bool good = s.n >= PATH_SECRET_MIN;
		for (size_t k = 0; good && k < s.n; k++)
			good = (s.p[k] >= 'a' && s.p[k] <= 'z') || (s.p[k] >= 'A' && s.p[k] <= 'Z') ||
			       (s.p[k] >= '0' && s.p[k] <= '9') || (s.p[k] && strchr("._~-", s.p[k]));
		if (!good)
			fault_error(&l->faults, item->line, item->column,
				    "'path_secret' needs at least %d characters of A-Z a-z 0-9 . _ ~ -; "
				    "`openssl rand -hex 16` makes a good one",
				    PATH_SECRET_MIN);
	}
}

static bool is_plugins_own(const patchbay_plugin *plugin, const char *name)
{
	for (size_t i = 0; plugin && i < plugin->source->n_options; i++)
		if (strcmp(plugin->source->options[i].name, name) == 0)
			return true;
	return false;
}

static void read_silence(struct loader *l, const struct node *node, struct config_source *source)
{
	const struct node *at = is_plugins_own(source->plugin, "silence") ? NULL : node_get(node, "silence");
	patchbay_str text = { NULL, 0 };
	source->silence_ms = CONFIG_SILENCE_AUTO;
	if (!at || option_read(l, &config_source_options[SILENCE], at, &text) < 0)
		return;
	if (str_is(text, "off"))
		source->silence_ms = CONFIG_SILENCE_OFF;
	else if (!str_is(text, "auto") && (!scalar_ms(text, &source->silence_ms) || source->silence_ms < SILENCE_MIN ||
					   source->silence_ms > SILENCE_MAX))
		fault_error(
			&l->faults, at->line, at->column,
			"'silence': '%.*s' is none of these: a duration such as 30m or 6h (100ms to 365d), off, auto",
			SHOWN(text));
	option_free(&config_source_options[SILENCE], &text);
}

static void load_source(struct loader *l, const struct node *node, struct config_source *source)
{
	char *who = xasprintf("source '%.*s'", SHOWN(node->key));
	source->name = xstrndup(node->key.p, node->key.n);
	source->line = node->key_line;
	source->column = node->key_column;
	check_name(l, node, "source");
	if (str_is(node->key, CONFIG_OWN_SOURCE))
		fault_error(&l->faults, node->key_line, node->key_column,
			    "a source cannot be called '" CONFIG_OWN_SOURCE
			    "': that is where Patchbay's own events come "
			    "from; choose another name");
	if (node->kind != NODE_MAP) {
		loader_wrong_kind(l, node, who, "'key: value' lines, with at least 'plugin: NAME'");
	} else {
		read_path_secret(l, node, source);
		source->plugin = read_plugin(l, node, who, false);
		read_silence(l, node, source);
		if (source->plugin)
			source->options = read_options(l, node, who, source->plugin, false, &source->secrets);
	}
	free(who);
}

static void load_sink(struct loader *l, const struct node *node, struct config_sink *sink)
{
	char *who = xasprintf("sink '%.*s'", SHOWN(node->key));
	sink->name = xstrndup(node->key.p, node->key.n);
	sink->line = node->key_line;
	sink->column = node->key_column;
	check_name(l, node, "sink");
	if (node->kind != NODE_MAP) {
		loader_wrong_kind(l, node, who, "'key: value' lines, with at least 'plugin: NAME'");
	} else {
		sink->plugin = read_plugin(l, node, who, true);
		load_delivery(l, node, sink);
		if (sink->plugin)
			sink->options = read_options(l, node, who, sink->plugin, true, &sink->secrets);
	}
	free(who);
}

/* How many there are in this section; 0 when it is missing, empty, or no mapping. */
static size_t section(struct loader *l, const struct node *node, const char *what, const char *example)
{
	if (!node || node_is_null(node))
		return 0;
	if (node->kind == NODE_MAP)
		return node->n;
	loader_wrong_kind(l, node, what, example);
	return 0;
}

void load_sources(struct loader *l, const struct node *node)
{
	struct config *c = l->config;
	size_t n = section(l, node, "'sources'", "'NAME:' with the source's keys indented below it");
	c->sources = xcalloc(n, sizeof(*c->sources));
	for (; c->n_sources < n; c->n_sources++)
		load_source(l, &node->items[c->n_sources], &c->sources[c->n_sources]);
}

void load_sinks(struct loader *l, const struct node *node)
{
	struct config *c = l->config;
	size_t n = section(l, node, "'sinks'", "'NAME:' with the sink's keys indented below it");
	c->sinks = xcalloc(n, sizeof(*c->sinks));
	for (; c->n_sinks < n; c->n_sinks++)
		load_sink(l, &node->items[c->n_sinks], &c->sinks[c->n_sinks]);
}

static void secrets_free(struct config_secrets *secrets)
{
	for (size_t i = 0; i < secrets->n; i++)
		free(secrets->v[i].name);
	free(secrets->v);
}

void source_free(struct config_source *s)
{
	free(s->name);
	secrets_free(&s->secrets);
	option_free(&config_source_options[PATH_SECRET], &s->path_secret);
	if (s->plugin)
		options_free(s->plugin->source->options, s->plugin->source->n_options, s->options);
	free(s->options);
}

void sink_free(struct config_sink *s)
{
	free(s->name);
	secrets_free(&s->secrets);
	free(s->retry.delays_ms);
	if (s->plugin)
		options_free(s->plugin->sink->options, s->plugin->sink->n_options, s->options);
	free(s->options);
}
