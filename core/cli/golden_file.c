/* golden_file.c - a test file, read with the same care as routes.yaml: every fault of it at once. */
#include "cli/golden.h"

#include "alarm/alarm.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/options.h"
#include "config/scalar.h"
#include "plugin/simulate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define RECEIVED_DEFAULT "2026-01-01T00:00:00Z"

static const char *const signs[] = { "yes", "wrong", "no", NULL };
const char *const golden_verdicts[] = { "accepted", "refused", "malformed", "empty", "answered", NULL };

struct top {
	patchbay_str config;
};
static const patchbay_option top_options[] = {
	OPTION_OF(PATCHBAY_T_STR, struct top, config, "config", .def = NULL),
};
static const char *const top_keys[] = { "tests", NULL };

static const patchbay_option test_options[] = {
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, name, "name", .flags = PATCHBAY_F_REQUIRED,
		  .help = "what is tested, in a few words"),
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, source_name, "source", .flags = PATCHBAY_F_REQUIRED,
		  .help = "which source gets the request"),
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, sample, "sample", .def = NULL),
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, body, "body", .def = NULL),
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, body_file, "body_file", .flags = PATCHBAY_F_PATH),
	OPTION_OF(PATCHBAY_T_ENUM, struct golden_test, sign, "signed", .one_of = signs),
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, client, "client", .def = "127.0.0.1"),
	OPTION_OF(PATCHBAY_T_STR, struct golden_test, received, "received", .def = RECEIVED_DEFAULT),
	OPTION_OF(PATCHBAY_T_INT, struct golden_test, event, "event", .def = "1", .min = 1, .max = 10000),
};
static const char *const test_keys[] = { "set", "headers", "details", "expect", NULL };

static const patchbay_option expect_options[] = {
	OPTION_OF(PATCHBAY_T_ENUM, struct golden_test, expect.verdict, "verdict", .one_of = golden_verdicts),
	OPTION_OF(PATCHBAY_T_INT, struct golden_test, expect.n_events, "events", .def = "-1", .min = -1, .max = 10000),
};
/* The rest is compared as it stands: fields of the envelope as text. */
static const char *const expect_keys[] = { "why",  "type",   "kind",  "subject", "time",     "time_source",
					   "test", "dedupe", "sinks", "why_not", "rendered", NULL };

static int wrong(struct golden *g, const struct node *at, const char *sentence)
{
	fault_error(&g->loader.faults, at->line, at->column, "%s", sentence);
	return -1;
}

int golden_open(struct golden *g, const char *path, struct config_faults *faults, char **ret_config)
{
	struct top top = { { NULL, 0 } };
	const char *slash = strrchr(path, '/');
	*ret_config = NULL;
	*g = (struct golden){ .loader = { .faults = { path, faults, 0 } } };
	g->loader.dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	if (access(path, R_OK) == -1)
		fault_error(&g->loader.faults, 0, 0, "cannot be opened: %s; name a file of tests", strerror(errno));
	else
		g->root = yaml_load(path, &g->loader.faults);
	if (!g->root)
		return -1;
	const struct option_table table = {
		.v = top_options, .n = COUNT(top_options), .others = top_keys, .who = "a test file"
	};
	if (options_fill(&g->loader, &table, g->root, &top) < 0)
		return -1;
	if (top.config.n)
		*ret_config = slash ? loader_path(&g->loader, top.config) : xstrndup(top.config.p, top.config.n);
	options_free(top_options, COUNT(top_options), &top);
	return 0;
}

void golden_close(struct golden *g)
{
	for (size_t i = 0; i < g->n; i++)
		options_free(test_options, COUNT(test_options), &g->v[i]);
	free(g->v);
	free(g->loader.dir);
	node_free(g->root);
}

/* ---- What it refers to */

static void unknown(struct golden *g, const struct node *at, const char *what, patchbay_str name,
		    const char *const *names, size_t n, const char *otherwise)
{
	char *hint = fault_hint(name, names, n, otherwise);
	fault_error(&g->loader.faults, at->line, at->column, "%s '%.*s'%s", what, SHOWN(name), hint);
	free(hint);
}

static void find_source(struct golden *g, const struct node *node, const struct config *config,
			struct golden_test *test)
{
	const char **names = xcalloc(config->n_sources + 1, sizeof(*names));
	names[config->n_sources] = CONFIG_OWN_SOURCE;
	for (size_t i = 0; i < config->n_sources; i++) {
		names[i] = config->sources[i].name;
		if (str_is(test->source_name, names[i]))
			test->source = &config->sources[i];
	}
	if (!test->source && !str_is(test->source_name, CONFIG_OWN_SOURCE))
		unknown(g, node_get(node, "source"), "the configuration has no source", test->source_name, names,
			config->n_sources + 1, "; name one of those that it has");
	free(names);
}

static void find_own_sample(struct golden *g, const struct node *at, struct golden_test *test)
{
	const char *names[ALARM_TYPES];
	for (size_t i = 0; i < ALARM_TYPES; i++)
		names[i] = alarm_types[i].name;
	test->sample_index = alarm_find(test->sample);
	if (test->sample_index == ALARM_TYPES)
		unknown(g, at, "there is no alarm", test->sample, names, ALARM_TYPES,
			"; routes.yaml(5), Alarms, lists them");
}

static void find_sample(struct golden *g, const struct node *at, struct golden_test *test)
{
	patchbay_simulate simulate;
	if (str_is(test->source_name, CONFIG_OWN_SOURCE))
		find_own_sample(g, at, test);
	if (!test->source)
		return;
	if (!simulate_get(test->source->plugin, &simulate)) {
		fault_error(&g->loader.faults, at->line, at->column,
			    "plugin '%s', of source '%s', has no samples; give a 'body' or a 'body_file'",
			    test->source->plugin->name, test->source->name);
		return;
	}
	const char **names = xcalloc(simulate.n_samples, sizeof(*names));
	bool found = false;
	for (uint32_t i = 0; i < simulate.n_samples; i++) {
		names[i] = simulate_sample(&simulate, i).name;
		if (found || !str_is(test->sample, names[i]))
			continue;
		test->sample_index = i;
		found = true;
	}
	char *otherwise = xasprintf("; `patchbay send --list %s` shows those that it has", test->source->name);
	if (!found)
		unknown(g, at, "its source has no sample", test->sample, names, simulate.n_samples, otherwise);
	free(otherwise);
	free(names);
}

size_t golden_find_sink(const struct config *config, patchbay_str name)
{
	size_t i = 0;
	while (i < config->n_sinks && !str_is(name, config->sinks[i].name))
		i++;
	return i;
}

static void check_sink(struct golden *g, const struct node *at, patchbay_str name, int line, int column,
		       const struct config *config)
{
	if (golden_find_sink(config, name) < config->n_sinks)
		return;
	const char **names = xcalloc(config->n_sinks, sizeof(*names));
	for (size_t i = 0; i < config->n_sinks; i++)
		names[i] = config->sinks[i].name;
	struct node place = { .kind = at->kind, .line = line, .column = column };
	unknown(g, &place, "the configuration has no sink", name, names, config->n_sinks,
		"; name one of those that it has");
	free(names);
}

/* ---- One test */

/* `key: {...}`; NULL when it is missing. */
static const struct node *get_map(struct golden *g, const struct node *node, const char *key)
{
	const struct node *map = node_get(node, key);
	if (!map || node_is_null(map))
		return NULL;
	if (map->kind == NODE_MAP)
		return map;
	char *what = xasprintf("'%s'", key);
	loader_wrong_kind(&g->loader, map, what, "'key: value' lines");
	free(what);
	return NULL;
}

static void read_sinks(struct golden *g, const struct node *node, const struct config *config)
{
	for (size_t i = 0; i < (node->kind == NODE_LIST ? node->n : 1); i++) {
		const struct node *item = node->kind == NODE_LIST ? &node->items[i] : node;
		if (item->kind != NODE_SCALAR || node_is_null(item))
			wrong(g, item, "'sinks' is a list of names; [] for none");
		else
			check_sink(g, item, item->text, item->line, item->column, config);
	}
}

static void read_expect(struct golden *g, const struct node *node, const struct config *config,
			struct golden_test *test)
{
	const struct option_table table = { .v = expect_options,
					    .n = COUNT(expect_options),
					    .others = expect_keys,
					    .who = "'expect'",
					    .line = node->line,
					    .column = node->column };
	options_fill(&g->loader, &table, node, test);
	if (node->kind != NODE_MAP)
		return;
	test->expect.node = node;
	test->expect.why = node_get(node, "why");
	test->expect.events = node_get(node, "events");
	test->expect.sinks = node_get(node, "sinks");
	test->expect.why_not = get_map(g, node, "why_not");
	test->expect.rendered = get_map(g, node, "rendered");
	for (size_t i = 0; expect_keys[i] && strcmp(expect_keys[i], "sinks") != 0; i++) {
		const struct node *field = node_get(node, expect_keys[i]);
		if (field && field->kind != NODE_SCALAR)
			loader_wrong_kind(&g->loader, field, expect_keys[i], "one value");
	}
	if (test->expect.sinks)
		read_sinks(g, test->expect.sinks, config);
	const struct node *maps[] = { test->expect.why_not, test->expect.rendered };
	for (size_t k = 0; k < COUNT(maps); k++)
		for (size_t i = 0; maps[k] && i < maps[k]->n; i++) {
			const struct node *item = &maps[k]->items[i];
			check_sink(g, item, item->key, item->key_line, item->key_column, config);
			if (k == 0 && item->kind != NODE_SCALAR)
				wrong(g, item, "'why_not' takes 'SINK: a part of the reason'");
			if (k == 1 && item->kind != NODE_MAP)
				wrong(g, item, "'rendered' takes 'SINK:' with 'key: value' lines below it");
		}
}

static void read_where(struct golden *g, const struct node *node, struct golden_test *test)
{
	bool stray;
	const struct node *at = node_get(node, "client");
	if (!scalar_cidr(test->client, &test->client_addr, &stray) || test->client_addr.bits != 128)
		wrong(g, at ? at : node, "'client' is the address that the request came from, such as 192.0.2.7");
	at = node_get(node, "received");
	if (!clock_parse_iso(test->received, &test->received_ns))
		wrong(g, at ? at : node, "'received' is a time such as " RECEIVED_DEFAULT);
}

static void read_test(struct golden *g, const struct node *node, const struct config *config, struct golden_test *test)
{
	const struct option_table table = { .v = test_options,
					    .n = COUNT(test_options),
					    .others = test_keys,
					    .who = "this test",
					    .line = node->line,
					    .column = node->column };
	const struct node *sample = node_get(node, "sample"), *expect = node_get(node, "expect");
	test->line = node->line;
	test->column = node->column;
	test->expect.n_events = -1;
	options_fill(&g->loader, &table, node, test);
	if (node->kind != NODE_MAP)
		return;
	if ((sample != NULL) + (node_get(node, "body") != NULL) + (node_get(node, "body_file") != NULL) != 1)
		wrong(g, node, "a test has one of 'sample', 'body' and 'body_file'");
	if (test->source_name.n)
		find_source(g, node, config, test);
	if (sample && test->sample.n)
		find_sample(g, sample, test);
	read_where(g, node, test);
	test->set = get_map(g, node, "set");
	test->headers = get_map(g, node, "headers");
	test->details = get_map(g, node, "details");
	for (size_t i = 0; test->headers && i < test->headers->n; i++)
		if (test->headers->items[i].kind != NODE_SCALAR)
			wrong(g, &test->headers->items[i], "a header has one value");
	if (expect)
		read_expect(g, expect, config, test);
}

int golden_read(struct golden *g, const struct config *config)
{
	const struct node *tests = node_get(g->root, "tests");
	if (!tests || (tests->kind == NODE_LIST && tests->n == 0)) {
		fault_error(&g->loader.faults, 0, 0, "there are no tests; write 'tests:', and below it a list of them");
		return -1;
	}
	if (tests->kind != NODE_LIST)
		return loader_wrong_kind(&g->loader, tests, "'tests'", "a list, each test beginning with '- name:'");
	g->v = xcalloc(tests->n, sizeof(*g->v));
	for (; g->n < tests->n; g->n++)
		read_test(g, &tests->items[g->n], config, &g->v[g->n]);
	return g->loader.faults.errors ? -1 : 0;
}
