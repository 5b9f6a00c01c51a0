/* router.c - see router.h. Cheap tests first: source, test, type; jq only for what is left. */
#include "deliver/router.h"

#include "base/err.h"
#include "base/mem.h"
#include "expr/expr.h"

#include <stdlib.h>

struct when { /* one distinct text */
	patchbay_str text;
	patchbay_expr *expr; /* NULL: not needed yet, or does not compile */
	struct err *broken;  /* why it does not compile */
};

struct entry {
	const struct config_route *route;
	size_t when; /* index into whens, or NO_WHEN */
};
#define NO_WHEN ((size_t)-1)

struct router {
	const struct config *config;
	struct entry *entries;
	size_t n;
	struct when *whens;
	size_t n_whens;
	size_t last_source; /* of the last event: most come in runs */
};

static bool leads_to(const struct config_route *route, size_t sink)
{
	for (size_t i = 0; i < route->n_sinks; i++)
		if (sink == ROUTER_ALL_SINKS || route->sinks[i] == sink)
			return true;
	return false;
}

static size_t when_index(struct router *router, patchbay_str text)
{
	if (!text.n)
		return NO_WHEN;
	for (size_t i = 0; i < router->n_whens; i++)
		if (str_eq(router->whens[i].text, text))
			return i;
	router->whens[router->n_whens] = (struct when){ .text = text };
	return router->n_whens++;
}

struct router *router_create(const struct config *config, size_t sink_index)
{
	struct router *router = xcalloc(1, sizeof(*router));
	router->config = config;
	router->entries = xcalloc(config->n_routes + 1, sizeof(*router->entries));
	router->whens = xcalloc(config->n_routes + 1, sizeof(*router->whens));
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct config_route *route = &config->routes[i];
		if (leads_to(route, sink_index))
			router->entries[router->n++] = (struct entry){ route, when_index(router, route->when) };
	}
	return router;
}

void router_destroy(struct router *router)
{
	if (!router)
		return;
	for (size_t i = 0; i < router->n_whens; i++) {
		expr_free(router->whens[i].expr);
		free(router->whens[i].broken);
	}
	free(router->whens);
	free(router->entries);
	free(router);
}

/* The index of the event's source; n_sources for one that is no longer configured. */
static size_t source_index(struct router *router, patchbay_str name)
{
	const struct config *config = router->config;
	if (router->last_source < config->n_sources && str_is(name, config->sources[router->last_source].name))
		return router->last_source;
	size_t i = 0;
	while (i < config->n_sources && !str_is(name, config->sources[i].name))
		i++;
	router->last_source = i;
	return i;
}

static bool source_matches(const struct router *router, const struct config_route *route, patchbay_str name,
			   size_t source)
{
	if (source == router->config->n_sources && str_is(name, CONFIG_OWN_SOURCE))
		return route->own;
	if (!route->n_sources)
		return !route->own;
	for (size_t i = 0; i < route->n_sources; i++)
		if (route->sources[i] == source)
			return true;
	return false;
}

static bool type_matches(const struct config_route *route, const patchbay_delivery *event)
{
	if (!route->types.n)
		return true;
	for (size_t i = 0; i < route->types.n; i++)
		if (str_glob(route->types.v[i], event->type) || str_glob(route->types.v[i], event->kind))
			return true;
	return false;
}

static int when_true(struct when *when, patchbay_call *call, const patchbay_delivery *event)
{
	if (!when->expr && !when->broken) {
		struct err err = { 0 };
		when->expr = expr_compile(EXPR_PROGRAM, when->text, &err);
		if (!when->expr) {
			when->broken = xmalloc(sizeof(err));
			*when->broken = err;
		}
	}
	if (when->expr)
		return expr_true(call, when->expr, event);
	call_explain(call, "%s", when->broken->text);
	return -1;
}

enum router_reason router_check(struct router *router, size_t i, patchbay_call *call, const patchbay_delivery *event)
{
	const struct entry *entry = &router->entries[i];
	if (!source_matches(router, entry->route, event->source, source_index(router, event->source)))
		return ROUTER_OTHER_SOURCE;
	if (event->test && !entry->route->test)
		return ROUTER_TEST_EVENT;
	if (!type_matches(entry->route, event))
		return ROUTER_OTHER_TYPE;
	if (entry->when == NO_WHEN)
		return ROUTER_OK;
	int is_true = when_true(&router->whens[entry->when], call, event);
	return is_true > 0 ? ROUTER_OK : is_true == 0 ? ROUTER_WHEN_FALSE : ROUTER_WHEN_ERROR;
}

enum router_outcome router_match(struct router *router, patchbay_call *call, const patchbay_delivery *event,
				 const struct config_route **ret_route, patchbay_str *ret_why)
{
	const struct config_route *failed = NULL;
	patchbay_str why = { "", 0 };
	for (size_t i = 0; i < router->n; i++) {
		enum router_reason reason = router_check(router, i, call, event);
		if (reason == ROUTER_OK) {
			if (ret_route)
				*ret_route = router->entries[i].route;
			return ROUTER_MATCHED;
		}
		if (reason == ROUTER_WHEN_ERROR && !failed) {
			failed = router->entries[i].route;
			why = call->why;
		}
	}
	if (!failed)
		return ROUTER_NOT_ROUTED;
	call_explain(call, "`when` of the route in line %d failed: %.*s", failed->line, STR_ARG(why));
	*ret_why = call->why;
	return ROUTER_WHEN_FAILED;
}

size_t router_count(const struct router *router)
{
	return router->n;
}

const struct config_route *router_route(const struct router *router, size_t i)
{
	return router->entries[i].route;
}

const char *router_reason_text(enum router_reason reason)
{
	switch (reason) {
	case ROUTER_OK:
		return "matches";
	case ROUTER_OTHER_SOURCE:
		return "takes other sources";
	case ROUTER_OTHER_TYPE:
		return "takes other types";
	case ROUTER_TEST_EVENT:
		return "takes no test events";
	case ROUTER_WHEN_FALSE:
		return "`when` is false";
	case ROUTER_WHEN_ERROR:
		return "`when` failed";
	}
	return "";
}
