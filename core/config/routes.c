/* routes.c - `routes`: which events of which sources go to which sinks. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"
#include "expr/clauses.h"
#include "expr/expr.h"

#include <stdlib.h>

const patchbay_option config_route_options[] = {
	OPTION_BY_HAND(PATCHBAY_T_STRS, "from", .def = "'*'",
		       .help = "the sources whose events go this way; '*' is every source"),
	OPTION_BY_HAND(PATCHBAY_T_STRS, "to", .flags = PATCHBAY_F_REQUIRED, .help = "the sinks that they go to"),
	OPTION_OF(PATCHBAY_T_STRS, struct config_route, types, "type",
		  .help = "only events whose type or kind fits: * is any run of characters, ? any one; the default is "
			  "all"),
	OPTION_OF(PATCHBAY_T_STR, struct config_route, when, "when",
		  .help = "only events for which the first result of this jq program is neither null nor false: "
			  ".data.total > 100"),
	OPTION_OF(PATCHBAY_T_BOOL, struct config_route, test, "test", .def = "false",
		  .help = "also events of a provider's test calls"),
};
const size_t config_n_route_options = sizeof(config_route_options) / sizeof(*config_route_options);

/* The `when` of all routes, checked together in the end: one by one each might cost 15 ms. */
struct whens {
	const struct node **nodes;
	size_t n;
};

struct names {
	const char *what, *key; /* "source", "from" */
	const char **v;
	size_t n;
};

static size_t find(const struct names *names, patchbay_str name)
{
	size_t i = 0;
	while (i < names->n && !str_is(name, names->v[i]))
		i++;
	return i;
}

/* One name of a list, as an index into `ret`. */
static void resolve(struct loader *l, const struct names *names, const struct node *node, size_t *ret, size_t *n)
{
	struct faults *f = &l->faults;
	if (node->kind == NODE_BAD)
		return;
	if (node->kind != NODE_SCALAR || node_is_null(node)) {
		fault_error(f, node->line, node->column, "'%s' must name a %s, not %s", names->key, names->what,
			    node_kind_name(node));
		return;
	}
	size_t found = find(names, node->text);
	if (found == names->n) {
		char *otherwise = xasprintf("; add it under '%ss'", names->what);
		char *hint = fault_hint(node->text, names->v, names->n, otherwise);
		fault_error(f, node->line, node->column, "unknown %s '%.*s'%s", names->what, SHOWN(node->text), hint);
		free(hint);
		free(otherwise);
		return;
	}
	for (size_t i = 0; i < *n; i++)
		if (ret[i] == found) {
			fault_error(f, node->line, node->column, "%s '%.*s' is named twice; remove one of them",
				    names->what, SHOWN(node->text));
			return;
		}
	ret[(*n)++] = found;
}

static void read_names(struct loader *l, const struct names *names, const struct node *node, size_t **ret, size_t *n)
{
	size_t count = node->kind == NODE_LIST ? node->n : 1;
	*ret = xcalloc(count, sizeof(**ret));
	for (size_t i = 0; i < count; i++)
		resolve(l, names, node->kind == NODE_LIST ? &node->items[i] : node, *ret, n);
}

/* Patchbay itself is named like a source, and is none: it stands behind the last. */
static void take_out_own(const struct config *c, struct config_route *route)
{
	size_t n = 0;
	for (size_t i = 0; i < route->n_sources; i++) {
		if (route->sources[i] == c->n_sources)
			route->own = true;
		else
			route->sources[n++] = route->sources[i];
	}
	route->n_sources = n;
}

/* '*' alone, or among others: every source, those of later reloads too. */
static bool means_all(const struct node *from)
{
	if (from->kind == NODE_SCALAR)
		return str_is(from->text, "*");
	for (size_t i = 0; from->kind == NODE_LIST && i < from->n; i++)
		if (from->items[i].kind == NODE_SCALAR && str_is(from->items[i].text, "*"))
			return true;
	return false;
}

/* Whoever writes '*' thinks of what providers send; what Patchbay says about its sinks would go to all of them. */
static void refuse_own_among_all(struct loader *l, const struct node *from)
{
	for (size_t i = 0; from->kind == NODE_LIST && i < from->n; i++)
		if (from->items[i].kind == NODE_SCALAR && str_is(from->items[i].text, CONFIG_OWN_SOURCE))
			fault_error(&l->faults, from->items[i].line, from->items[i].column,
				    "'from': '*' does not go together with '" CONFIG_OWN_SOURCE
				    "'; write a route of its own for Patchbay's own events");
}

static void check_whens(struct loader *l, const struct whens *whens)
{
	patchbay_str *texts = xcalloc(whens->n, sizeof(*texts));
	size_t *which = xcalloc(whens->n, sizeof(*which)), n = 0;

	for (size_t i = 0; i < whens->n; i++) { /* routes often share a few texts */
		while (which[i] < n && !str_eq(texts[which[i]], whens->nodes[i]->text))
			which[i]++;
		if (which[i] == n)
			texts[n++] = whens->nodes[i]->text;
	}
	struct err *errs = xcalloc(n, sizeof(*errs));
	if (expr_check_many(texts, n, errs) < 0)
		for (size_t i = 0; i < whens->n; i++)
			if (errs[which[i]].text[0])
				fault_error(&l->faults, whens->nodes[i]->line, whens->nodes[i]->column,
					    "'when': not a valid jq program: %s", errs[which[i]].text);
	for (size_t i = 0; i < whens->n; i++)
		if (!errs[which[i]].text[0] && clauses_assigns(whens->nodes[i]->text))
			fault_error(&l->faults, whens->nodes[i]->line, whens->nodes[i]->column,
				    "'when': '=' sets a value, which is true for every event; write == to compare");
	free(errs);
	free(which);
	free(texts);
}

static void check_types(struct loader *l, const struct node *node)
{
	if (node->kind == NODE_LIST && node->n == 0)
		fault_error(&l->faults, node->line, node->column,
			    "'type': an empty list fits nothing; write names, or leave it out for all");
	for (size_t i = 0; i < (node->kind == NODE_LIST ? node->n : 1); i++) {
		const struct node *item = node->kind == NODE_LIST ? &node->items[i] : node;
		if (item->kind == NODE_SCALAR && item->quoted && item->text.n == 0)
			fault_error(
				&l->faults, item->line, item->column,
				"'type': an empty pattern fits nothing; write a name or a pattern such as 'fault_*'");
	}
}

static void load_route(struct loader *l, const struct node *node, const struct names *sources,
		       const struct names *sinks, struct config_route *route, struct whens *whens)
{
	struct option_table table = { .v = config_route_options,
				      .n = config_n_route_options,
				      .who = "a route",
				      .line = node->line,
				      .column = node->column };
	const struct node *from = node_get(node, "from"), *to = node_get(node, "to");
	const struct node *when = node_get(node, "when"), *type = node_get(node, "type");

	route->line = node->line;
	route->column = node->column;
	if (node->kind != NODE_MAP) {
		loader_wrong_kind(l, node, "a route", "'from:', 'type:', 'when:' and 'to:' lines");
		return;
	}
	options_fill(l, &table, node, route);
	if (type)
		check_types(l, type);
	if (when && when->kind == NODE_SCALAR && !node_is_null(when))
		whens->nodes[whens->n++] = when;
	if (from && from->kind == NODE_LIST && from->n == 0)
		fault_error(&l->faults, from->line, from->column,
			    "'from' names no source; name at least one, or remove the line for all of them");
	else if (from && !means_all(from))
		read_names(l, sources, from, &route->sources, &route->n_sources);
	else if (from)
		refuse_own_among_all(l, from);
	take_out_own(l->config, route);
	if (!to || (to->kind == NODE_LIST && to->n == 0))
		fault_error(&l->faults, to ? to->line : node->line, to ? to->column : node->column,
			    "this route leads nowhere; name its sinks: to: [NAME]");
	else
		read_names(l, sinks, to, &route->sinks, &route->n_sinks);
}

/* Only of a file whose routes are right: else this would repeat what was said already. */
static void warn_unused(struct loader *l)
{
	const struct config *c = l->config;
	for (size_t i = 0; i < c->n_sources; i++) {
		bool used = false;
		for (size_t k = 0; k < c->n_routes && !used; k++) {
			used = c->routes[k].n_sources == 0 && !c->routes[k].own;
			for (size_t m = 0; m < c->routes[k].n_sources; m++)
				used = used || c->routes[k].sources[m] == i;
		}
		if (!used)
			fault_warning(&l->faults, c->sources[i].line, c->sources[i].column,
				      "no route takes from source '%s'; its events are kept and go nowhere",
				      c->sources[i].name);
	}
	for (size_t i = 0; i < c->n_sinks; i++) {
		bool used = false;
		for (size_t k = 0; k < c->n_routes && !used; k++)
			for (size_t m = 0; m < c->routes[k].n_sinks; m++)
				used = used || c->routes[k].sinks[m] == i;
		if (!used)
			fault_warning(&l->faults, c->sinks[i].line, c->sinks[i].column,
				      "no route leads to sink '%s'; it will get nothing", c->sinks[i].name);
	}
}

void load_routes(struct loader *l, const struct node *root)
{
	struct config *c = l->config;
	const struct node *node = node_get(root, "routes");
	struct names sources = { "source", "from", xcalloc(c->n_sources + 1, sizeof(char *)), c->n_sources + 1 };
	struct names sinks = { "sink", "to", xcalloc(c->n_sinks, sizeof(char *)), c->n_sinks };
	struct whens whens = { 0 };
	size_t errors = l->faults.errors;

	for (size_t i = 0; i < c->n_sources; i++)
		sources.v[i] = c->sources[i].name;
	sources.v[c->n_sources] = CONFIG_OWN_SOURCE;
	for (size_t i = 0; i < c->n_sinks; i++)
		sinks.v[i] = c->sinks[i].name;
	if (!node || node_is_null(node) || (node->kind == NODE_LIST && node->n == 0)) {
		fault_warning(&l->faults, node ? node->line : 0, node ? node->column : 0,
			      "there are no routes; events are kept and go nowhere");
	} else if (node->kind != NODE_LIST) {
		loader_wrong_kind(l, node, "'routes'", "a list, each route beginning with '-'");
	} else {
		c->routes = xcalloc(node->n, sizeof(*c->routes));
		whens.nodes = xcalloc(node->n, sizeof(*whens.nodes));
		for (; c->n_routes < node->n; c->n_routes++)
			load_route(l, &node->items[c->n_routes], &sources, &sinks, &c->routes[c->n_routes], &whens);
		check_whens(l, &whens);
		if (l->faults.errors == errors)
			warn_unused(l);
	}
	free(whens.nodes);
	free(sources.v);
	free(sinks.v);
}

void route_free(struct config_route *route)
{
	free(route->sources);
	free(route->sinks);
	options_free(config_route_options, config_n_route_options, route);
}
