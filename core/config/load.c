/* load.c - a whole routes.yaml: the keys at its top, and the order in which its parts are read. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"
#include "tls/certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTION(kind, field, name_, ...)                                                                                \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind), .offset = offsetof(struct config, field),             \
		.name = (name_), __VA_ARGS__                                                                           \
	}
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const patchbay_option limit_options[] = {
	OPTION(PATCHBAY_T_BYTES, limits.body_bytes, "body", .def = "4M", .min = 1 << 10, .max = 64 << 20,
	       .help = "a larger request is answered 413"),
	OPTION(PATCHBAY_T_INT, limits.connections, "connections", .def = "1024", .min = 1, .max = 65536,
	       .help = "so many at the same time"),
	OPTION(PATCHBAY_T_INT, limits.connections_per_address, "connections_per_address", .def = "0", .min = 0,
	       .max = 65536, .help = "so many from one address; 0: no limit"),
	OPTION(PATCHBAY_T_MS, limits.request_ms, "request", .def = "10s", .min = 100, .max = 600000,
	       .help = "headers and body must be here by then"),
};
static const patchbay_option retention_options[] = {
	OPTION(PATCHBAY_T_MS, retention.age_ms, "age", .def = "30d", .min = 1000, .max = INT64_C(36500) * 86400000,
	       .help = "finished events are kept this long"),
	OPTION(PATCHBAY_T_BYTES, retention.size_bytes, "size", .def = "10G", .min = 1 << 20, .max = INT64_C(1) << 50,
	       .help = "a larger journal gives up finished events first, and then refuses new ones"),
	OPTION(PATCHBAY_T_BYTES, retention.quarantine_bytes, "quarantine", .def = "64M", .min = 0,
	       .max = INT64_C(1) << 40, .help = "what could not be verified or understood; the oldest go first"),
};

static const patchbay_option alarm_options[] = {
	OPTION(PATCHBAY_T_MS, alarms.grace_ms, "grace", .def = "1m", .min = 0, .max = 86400000,
	       .help = "what stands for less is no alarm"),
};

enum { LISTEN, ADMIN, JOURNAL, PLUGINS };

const patchbay_option config_file_options[] = {
	[LISTEN] = OPTION_BY_HAND(PATCHBAY_T_STRS, "listen", .flags = PATCHBAY_F_REQUIRED,
				  .fields = config_listen_options, .n_fields = CONFIG_N_LISTEN_OPTIONS,
				  .help = "where providers post to: 0.0.0.0:8080, '[::1]:8080', "
					  "unix:/run/patchbay/http.sock"),
	[ADMIN] =
		OPTION_BY_HAND(PATCHBAY_T_STR, "admin",
			       .help = "/health and /metrics, for you: 127.0.0.1:8081; never where providers post to"),
	[JOURNAL] = OPTION_BY_HAND(PATCHBAY_T_STR, "journal", .flags = PATCHBAY_F_REQUIRED,
				   .help = "the folder where events are kept: /var/lib/patchbay"),
	[PLUGINS] = OPTION_BY_HAND(PATCHBAY_T_STRS, "plugins",
				   .help = "folders where plugins are, searched after $PATCHBAY_PLUGIN_PATH; the "
					   "default is the built-in one"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "limits", .fields = limit_options, .n_fields = COUNT(limit_options),
		       .help = "what a sender may take"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "retention", .fields = retention_options, .n_fields = COUNT(retention_options),
		       .help = "how long finished events are kept"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "log", .fields = config_log_options, .n_fields = CONFIG_N_LOG_OPTIONS,
		       .help = "what is written into the log, and how"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "alarms", .fields = alarm_options, .n_fields = COUNT(alarm_options),
		       .help = "when Patchbay raises an alarm of its own"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "sources", .help = "where events come from: each NAME is posted to at /in/NAME"),
	OPTION_BY_HAND(PATCHBAY_T_MAP, "sinks", .help = "what is done with events"),
	OPTION_BY_HAND(PATCHBAY_T_LIST, "routes", .help = "which events of which sources go to which sinks"),
	OPTION(PATCHBAY_T_CIDRS, trusted_proxies, "trusted_proxies", .help = "whose X-Forwarded-For is believed"),
};
const size_t config_n_file_options = COUNT(config_file_options);

int loader_wrong_kind(struct loader *l, const struct node *node, const char *what, const char *wanted)
{
	if (node->kind != NODE_BAD)
		fault_error(&l->faults, node->line, node->column, "%s must be %s, not %s", what, wanted,
			    node_kind_name(node));
	return -1;
}

char *loader_path(const struct loader *l, patchbay_str path)
{
	if (path.n > 0 && path.p[0] == '/')
		return xstrndup(path.p, path.n);
	while (str_starts(path, STR("./")))
		path = (patchbay_str){ path.p + 2, path.n - 2 };
	return xasprintf("%s/%.*s", strcmp(l->dir, "/") == 0 ? "" : l->dir, STR_ARG(path));
}

/* The folder of a file, absolute, so that it does not matter where a process goes later. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	char *absolute = realpath(dir, NULL);
	if (!absolute)
		return dir;
	free(dir);
	return absolute;
}

static void fill_table(struct loader *l, const struct node *map, const patchbay_option *v, size_t n, const char *who)
{
	struct option_table table = { .v = v, .n = n, .who = who };
	options_fill(l, &table, map, l->config);
}

static void load_journal(struct loader *l, const struct node *node)
{
	patchbay_str text = { NULL, 0 };
	if (!node) {
		fault_error(&l->faults, 0, 0,
			    "'journal' is missing: the folder where events are kept; write journal: /var/lib/patchbay");
		return;
	}
	l->config->journal_line = node->line;
	l->config->journal_column = node->column;
	if (option_read(l, &config_file_options[JOURNAL], node, &text) < 0)
		return;
	if (strstr(text.p, "://")) /* not shown: a URL may hold a password */
		fault_error(&l->faults, node->line, node->column,
			    "'journal': this build knows the embedded journal only; write a folder, such as "
			    "/var/lib/patchbay");
	else
		l->config->journal = loader_path(l, text);
	option_free(&config_file_options[JOURNAL], &text);
}

static void add_dir(patchbay_strs *dirs, char *dir)
{
	patchbay_str *v = xrealloc((void *)(uintptr_t)dirs->v, (dirs->n + 1) * sizeof(*v));
	v[dirs->n] = str_c(dir);
	dirs->v = v;
	dirs->n++;
}

/* node: `plugins:` of the file, or NULL. */
static void find_dirs(struct loader *l, const struct node *node, patchbay_strs *ret)
{
	const char *env = getenv("PATCHBAY_PLUGIN_PATH");
	patchbay_strs named = { NULL, 0 };

	while (env && *env) {
		size_t n = strcspn(env, ":");
		if (n > 0)
			add_dir(ret, xstrndup(env, n));
		env += n + (env[n] == ':');
	}
	if (node && option_read(l, &config_file_options[PLUGINS], node, &named) == 0)
		for (size_t i = 0; i < named.n; i++) {
			const struct node *at = node->kind == NODE_LIST ? &node->items[i] : node;
			char *dir = loader_path(l, named.v[i]);
			struct stat st;
			if (stat(dir, &st) == -1 || !S_ISDIR(st.st_mode))
				fault_warning(&l->faults, at->line, at->column, "'plugins': there is no folder %s",
					      dir);
			add_dir(ret, dir);
		}
	else if (!node)
		add_dir(ret, xstrdup(PATCHBAY_PLUGIN_DIR));
	option_free(&config_file_options[PLUGINS], &named);
}

static void load_file(struct loader *l, const struct node *root)
{
	struct config *c = l->config;

	if (node_is_null(root)) {
		fault_error(&l->faults, 0, 0, "is empty; it needs at least 'listen' and 'journal'");
		return;
	}
	if (root->kind != NODE_MAP) {
		loader_wrong_kind(l, root, "a configuration", "'key: value' lines");
		return;
	}
	fill_table(l, root, config_file_options, config_n_file_options, "this file");
	const struct node *limits = node_get(root, "limits");
	c->limits_line = limits ? limits->key_line : 0;
	c->limits_column = limits ? limits->key_column : 0;
	fill_table(l, limits, limit_options, COUNT(limit_options), "'limits'");
	fill_table(l, node_get(root, "retention"), retention_options, COUNT(retention_options), "'retention'");
	fill_table(l, node_get(root, "alarms"), alarm_options, COUNT(alarm_options), "'alarms'");
	load_journal(l, node_get(root, "journal")); /* first: whose it is tells who must be able to read secrets */
	load_addresses(l, root);
	find_dirs(l, node_get(root, "plugins"), &c->plugin_dirs);
	l->plugins->search(l->plugins->ctx, c->plugin_dirs);
	load_log(l, node_get(root, "log"), &c->log);
	load_sources(l, node_get(root, "sources"));
	load_sinks(l, node_get(root, "sinks"));
	load_routes(l, root);
}

/* With a loader that knows the plugins and what this is for. */
static struct config *load(struct loader l, const char *path, struct config_faults *faults)
{
	*faults = (struct config_faults){ 0 };
	struct config *config = xcalloc(1, sizeof(*config));
	l.faults = (struct faults){ path, faults, 0 };
	l.config = config;
	l.dir = folder_of(path);

	config->path = xstrdup(path);
	struct node *root = yaml_load(l.text_path ? l.text_path : path, &l.faults);
	if (root)
		load_file(&l, root);
	node_free(root);
	free(l.dir);
	faults_sort(faults);
	if (l.faults.errors == 0)
		return config;
	config_free(config);
	return NULL;
}

struct config *config_load(const char *path, const struct config_plugins *plugins, struct config_faults *faults)
{
	return load((struct loader){ .plugins = plugins }, path, faults);
}

struct config *config_load_copy(const char *path, const char *text_path, const struct config_plugins *plugins,
				struct config_faults *faults)
{
	return load((struct loader){ .plugins = plugins, .text_path = text_path }, path, faults);
}

struct config *config_load_for_looking(const char *path, const struct config_plugins *plugins,
				       struct config_faults *faults)
{
	struct config_plugins unasked = *plugins;
	unasked.check = NULL; /* it would judge empty secrets */
	return load((struct loader){ .plugins = &unasked, .looking = true }, path, faults);
}

struct config *config_load_for_testing(const char *path, const struct config_plugins *plugins,
				       struct config_faults *faults)
{
	return load((struct loader){ .plugins = plugins, .testing = true }, path, faults);
}

/* Of a file that is no YAML, the line that says where the journal is can mostly be read all the same. */
static struct node *journal_line(const char *path)
{
	struct config_faults found = { 0 };
	struct faults quiet = { path, &found, 0 };
	FILE *f = fopen(path, "re");
	struct node *root = NULL;
	char line[4096];
	while (f && !root && fgets(line, sizeof line, f))
		if (strncmp(line, "journal:", 8) == 0)
			root = yaml_parse(str_c(line), &quiet);
	if (f)
		fclose(f);
	config_faults_free(&found);
	return root;
}

char *config_journal_folder(const char *path, struct err *err)
{
	struct config_faults found = { 0 };
	struct config config = { 0 };
	struct loader l = { .faults = { path, &found, 0 }, .config = &config, .dir = folder_of(path) };
	struct node *root = yaml_load(path, &l.faults);
	if (!root)
		root = journal_line(path);
	if (root)
		load_journal(&l, node_get(root, "journal"));
	if (!config.journal)
		err_set(err, "%s", found.n ? found.v[0].text : "unreadable");
	node_free(root);
	free(l.dir);
	config_faults_free(&found);
	return config.journal;
}

int config_plugin_dirs(const char *path, patchbay_strs *ret, struct err *err)
{
	struct config_faults found = { 0 };
	struct loader l = { .faults = { path ? path : "", &found, 0 }, .dir = folder_of(path ? path : ".") };
	struct node *root = path ? yaml_load(path, &l.faults) : NULL;
	int r = 0;

	*ret = (patchbay_strs){ NULL, 0 };
	if (path && !root)
		r = err_set(err, "%s", found.n ? found.v[0].text : "unreadable");
	find_dirs(&l, root ? node_get(root, "plugins") : NULL, ret);
	node_free(root);
	free(l.dir);
	config_faults_free(&found);
	return r;
}

void config_plugin_dirs_free(patchbay_strs *dirs)
{
	option_free(&config_file_options[PLUGINS], dirs);
}

const struct config_source *config_find_source(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_sources; i++)
		if (strcmp(config->sources[i].name, name) == 0)
			return &config->sources[i];
	return NULL;
}

bool config_routes_own(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].own)
			return true;
	return false;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_listen; i++) {
		free(c->listen[i].text);
		certificate_unref(c->listen[i].certificate);
	}
	if (c->admin)
		free(c->admin->text);
	for (size_t i = 0; i < c->n_sources; i++)
		source_free(&c->sources[i]);
	for (size_t i = 0; i < c->n_sinks; i++)
		sink_free(&c->sinks[i]);
	for (size_t i = 0; i < c->n_routes; i++)
		route_free(&c->routes[i]);
	config_log_free(&c->log);
	options_free(config_file_options, config_n_file_options, c);
	config_plugin_dirs_free(&c->plugin_dirs);
	free(c->listen);
	free(c->admin);
	free(c->sources);
	free(c->sinks);
	free(c->routes);
	free(c->journal);
	free(c->path);
	free(c);
}
