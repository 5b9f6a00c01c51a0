/* instances.c - `sources` and `sinks`: plugins and what they are told. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 30000
#define PATH_SECRET_MIN 8
#define NAME_MAX_LENGTH 63

#define OPTION(kind, struct_, field, name_, ...)                                                                       \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind), .offset = offsetof(struct_, field), .name = (name_),  \
		__VA_ARGS__                                                                                            \
	}
/* In the table for people to read only; read_retry() and the like do the work. */
#define BY_HAND(kind, name_, ...)                                                                                      \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind), .name = (name_), __VA_ARGS__                          \
	}

#define MAPPING 0 /* none of the types that a plugin's table may have */

static const patchbay_option plugin_option = BY_HAND(PATCHBAY_T_STR, "plugin", .flags = PATCHBAY_F_REQUIRED);

const patchbay_option config_source_options[] = {
	BY_HAND(PATCHBAY_T_STR, "plugin", .flags = PATCHBAY_F_REQUIRED, .help = "which plugin this source uses"),
	OPTION(PATCHBAY_T_STRS, struct config_source, path_secret, "path_secret", .flags = PATCHBAY_F_SECRET,
	       .help = "posts must come to /in/NAME/SECRET; a list while it changes; at least 8 of A-Z a-z 0-9 . _ ~ "
		       "-"),
};
const size_t config_n_source_options = sizeof(config_source_options) / sizeof(*config_source_options);

const patchbay_option config_sink_options[] = {
	BY_HAND(PATCHBAY_T_STR, "plugin", .flags = PATCHBAY_F_REQUIRED, .help = "which plugin this sink uses"),
	BY_HAND(MAPPING, "retry", .def = "{initial: 1s, factor: 2, max: 1h, give_up: 72h}",
		.help = "when a failed delivery is tried again: a list of delays, or growing delays and an age to give "
			"up at"),
	OPTION(PATCHBAY_T_MS, struct config_sink, timeout_ms, "timeout", .min = 100, .max = 3600000,
	       .help = "how long one call of the sink may take; the default is the plugin's, or 30s"),
	BY_HAND(MAPPING, "batch",
		.help = "{events: N, bytes: SIZE, linger: DURATION}: what is handed over in one call; the defaults are "
			"the plugin's"),
};
const size_t config_n_sink_options = sizeof(config_sink_options) / sizeof(*config_sink_options);

static const char *const source_keys[] = { "plugin", "path_secret", NULL };
static const char *const sink_keys[] = { "plugin", "retry", "timeout", "batch", NULL };

static const patchbay_option retry_options[] = {
	OPTION(PATCHBAY_T_MS, struct config_retry, initial_ms, "initial", .min = 1, .max = 86400000),
	OPTION(PATCHBAY_T_REAL, struct config_retry, factor, "factor", .min = 1, .max = 100),
	OPTION(PATCHBAY_T_MS, struct config_retry, max_ms, "max", .min = 1, .max = INT64_C(30) * 86400000),
	OPTION(PATCHBAY_T_MS, struct config_retry, give_up_ms, "give_up", .min = 1, .max = INT64_C(365) * 86400000),
};
static const patchbay_option delay_option = BY_HAND(PATCHBAY_T_MS, "retry", .min = 1, .max = INT64_C(30) * 86400000);

static const patchbay_option batch_options[] = {
	OPTION(PATCHBAY_T_INT, struct config_sink, batch_events, "events", .min = 1, .max = 100000),
	OPTION(PATCHBAY_T_BYTES, struct config_sink, batch_bytes, "bytes", .min = 0, .max = INT64_C(1) << 30),
	OPTION(PATCHBAY_T_MS, struct config_sink, batch_linger_ms, "linger", .min = 0, .max = 3600000),
};

static void check_name(struct loader *l, const struct node *node, const char *what)
{
	patchbay_str name = node->key;
	bool good = name.n <= NAME_MAX_LENGTH;
	for (size_t i = 0; good && i < name.n; i++) {
		char c = name.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && (c == '_' || c == '-'));
	}
	if (!good)
		fault_error(&l->faults, node->key_line, node->key_column,
			    "'%.*s' cannot name a %s; use up to %d of a-z 0-9 _ -, beginning with a letter or digit",
			    SHOWN(name), what, NAME_MAX_LENGTH);
}

static int fill_table(struct loader *l, const patchbay_option *v, size_t n, const char *who, const struct node *map,
		      void *out)
{
	struct option_table table = { .v = v, .n = n, .who = who, .line = map->line, .column = map->column };
	return options_fill(l, &table, map, out);
}

static const patchbay_plugin *read_plugin(struct loader *l, const struct node *node, const char *who, bool sink)
{
	const struct node *at = node_get(node, "plugin");
	patchbay_str name = { NULL, 0 };
	struct err err = { "" };
	if (!at) {
		fault_error(&l->faults, node->key_line, node->key_column,
			    "%s needs 'plugin: NAME'; `patchbay plugins` lists them", who);
		return NULL;
	}
	if (option_read(l, &plugin_option, at, &name) < 0)
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
	option_free(&plugin_option, &name);
	return plugin;
}

/* What the plugin declares, and then what it says about all of it. */
static void *read_options(struct loader *l, const struct node *node, const char *who, const patchbay_plugin *plugin,
			  bool sink)
{
	struct option_table table = {
		.v = sink ? plugin->sink->options : plugin->source->options,
		.n = sink ? plugin->sink->n_options : plugin->source->n_options,
		.others = sink ? sink_keys : source_keys,
		.who = who,
		.plugin = plugin->name,
		.line = node->key_line,
		.column = node->key_column,
	};
	struct err err = { "" };
	void *options = xcalloc(1, sink ? plugin->sink->options_size : plugin->source->options_size);
	if (options_fill(l, &table, node, options) < 0 || !l->plugins->check)
		return options;
	if (l->plugins->check(l->plugins->ctx, plugin, sink, options, &err) != 0)
		fault_error(&l->faults, node->key_line, node->key_column, "%s: %s", who, err.text);
	else if (err.text[0])
		fault_warning(&l->faults, node->key_line, node->key_column, "%s: %s", who, err.text);
	return options;
}

static void read_path_secret(struct loader *l, const struct node *node, patchbay_strs *ret)
{
	const struct node *at = node_get(node, "path_secret");
	if (!at || option_read(l, &config_source_options[1], at, ret) < 0 || l->looking)
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

static void load_source(struct loader *l, const struct node *node, struct config_source *source)
{
	char *who = xasprintf("source '%.*s'", SHOWN(node->key));
	source->name = xstrndup(node->key.p, node->key.n);
	source->line = node->key_line;
	source->column = node->key_column;
	check_name(l, node, "source");
	if (node->kind != NODE_MAP) {
		loader_wrong_kind(l, node, who, "'key: value' lines, with at least 'plugin: NAME'");
	} else {
		read_path_secret(l, node, &source->path_secret);
		source->plugin = read_plugin(l, node, who, false);
		if (source->plugin)
			source->options = read_options(l, node, who, source->plugin, false);
	}
	free(who);
}

static void read_retry_delays(struct loader *l, const struct node *node, struct config_retry *retry)
{
	retry->delays_ms = xcalloc(node->n + 1, sizeof(*retry->delays_ms));
	for (size_t i = 0; i < node->n; i++)
		if (option_read(l, &delay_option, &node->items[i], &retry->delays_ms[retry->n_delays]) == 0)
			retry->n_delays++;
}

static void read_retry(struct loader *l, const struct node *node, struct config_retry *retry)
{
	*retry =
		(struct config_retry){ .initial_ms = 1000, .factor = 2, .max_ms = 3600000, .give_up_ms = 72 * 3600000 };
	if (!node || node->kind == NODE_BAD)
		return;
	if (node->kind == NODE_LIST) {
		read_retry_delays(l, node, retry);
	} else if (node->kind != NODE_MAP) {
		fault_error(&l->faults, node->line, node->column,
			    "'retry' must be a list of delays such as [1m, 10m, 1h], or "
			    "{initial: 1s, factor: 2, max: 1h, give_up: 72h}");
	} else if (fill_table(l, retry_options, 4, "'retry'", node, retry) == 0 && retry->max_ms < retry->initial_ms) {
		fault_error(&l->faults, node->line, node->column,
			    "'retry': 'max' is shorter than 'initial'; make it at least as long");
	}
}

static void read_delivery(struct loader *l, const struct node *node, struct config_sink *sink)
{
	const struct node *timeout = node_get(node, "timeout"), *batch = node_get(node, "batch");
	const patchbay_sink *side = sink->plugin ? sink->plugin->sink : NULL;

	read_retry(l, node_get(node, "retry"), &sink->retry);
	sink->timeout_ms = side && side->timeout_ms ? side->timeout_ms : DEFAULT_TIMEOUT_MS;
	sink->batch_events = side && side->batch_events ? side->batch_events : 1;
	sink->batch_bytes = side ? side->batch_bytes : 0;
	sink->batch_linger_ms = side ? side->batch_linger_ms : 0;
	if (timeout)
		option_read(l, &config_sink_options[2], timeout, &sink->timeout_ms);
	if (batch && batch->kind != NODE_MAP)
		loader_wrong_kind(l, batch, "'batch'", "{events: N, bytes: SIZE, linger: DURATION}");
	else if (batch)
		fill_table(l, batch_options, 3, "'batch'", batch, sink);
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
		read_delivery(l, node, sink);
		if (sink->plugin)
			sink->options = read_options(l, node, who, sink->plugin, true);
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

void source_free(struct config_source *s)
{
	free(s->name);
	option_free(&config_source_options[1], &s->path_secret);
	if (s->plugin)
		options_free(s->plugin->source->options, s->plugin->source->n_options, s->options);
	free(s->options);
}

void sink_free(struct config_sink *s)
{
	free(s->name);
	free(s->retry.delays_ms);
	if (s->plugin)
		options_free(s->plugin->sink->options, s->plugin->sink->n_options, s->options);
	free(s->options);
}
