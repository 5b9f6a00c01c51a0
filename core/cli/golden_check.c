/* golden_check.c - one golden test: what is expected of an event, compared with what would become of it. */
#include "cli/golden.h"

#include "base/mem.h"
#include "cli/show.h"
#include "deliver/router.h"
#include "expr/envelope.h"

#include <stdlib.h>
#include <string.h>

static bool contains(patchbay_str text, patchbay_str part)
{
	return part.n == 0 || (text.n >= part.n && memmem(text.p, text.n, part.p, part.n));
}

/* ---- The request */

/* True: there is an event to look at. */
static bool check_verdict(const struct golden_test *t, const struct golden_outcome *o, struct faults *f)
{
	const struct node *why = t->expect.why, *events = t->expect.events;
	const struct node *verdict = t->expect.node ? node_get(t->expect.node, "verdict") : NULL;
	patchbay_str said = o->why.n ? o->why : STR("without a reason");

	if ((int64_t)o->verdict != t->expect.verdict)
		fault_error(f, verdict ? verdict->line : t->line, verdict ? verdict->column : t->column,
			    "expected the request to be %s, it was %s: %.*s", golden_verdicts[t->expect.verdict],
			    golden_verdicts[o->verdict], STR_ARG(said));
	else if (why && !contains(o->why, why->text))
		fault_error(f, why->line, why->column, "expected '%.*s' in what the plugin says, it says: %.*s",
			    SHOWN(why->text), STR_ARG(said));
	if (o->verdict != GOLDEN_ACCEPTED)
		return false;
	if (events && (int64_t)o->n_events != t->expect.n_events)
		fault_error(f, events->line, events->column, "expected %d events, got %zu", (int)t->expect.n_events,
			    o->n_events);
	if (!o->event)
		fault_error(f, t->line, t->column, "there is no event number %d, only %zu", (int)t->event, o->n_events);
	return o->event != NULL;
}

static void check_envelope(struct golden_bench *b, const struct golden_test *t, const struct golden_outcome *o,
			   struct faults *f)
{
	for (size_t i = 0; t->expect.node && i < t->expect.node->n; i++) {
		const struct node *node = &t->expect.node->items[i];
		patchbay_str got = { "", 0 };
		if (str_is(node->key, "events") || !envelope_field(&b->event, o->event, node->key, &got))
			continue;
		patchbay_str wanted = node_is_null(node) ? STR("") : node->text;
		if (!str_eq(got, wanted))
			fault_error(f, node->line, node->column, "expected %.*s '%.*s', got '%.*s'", STR_ARG(node->key),
				    SHOWN(wanted), SHOWN(got));
	}
}

/* ---- The routes */

struct routing { /* of one event */
	struct golden_bench *bench;
	const struct golden_test *test;
	const patchbay_delivery *event;
	enum router_reason *reasons; /* of each route */
};

static bool leads_to(const struct config_route *route, size_t sink)
{
	for (size_t i = 0; i < route->n_sinks; i++)
		if (route->sinks[i] == sink)
			return true;
	return false;
}

/* The route by which the event gets to the sink; NULL: it does not. */
static const struct config_route *way_to(const struct routing *r, size_t sink)
{
	for (size_t i = 0; i < router_count(r->bench->router); i++) {
		const struct config_route *route = router_route(r->bench->router, i);
		if (r->reasons[i] == ROUTER_OK && leads_to(route, sink))
			return route;
	}
	return NULL;
}

/* Why it does not: each route that leads there, with what decided. The caller frees. */
static char *why_not(const struct routing *r, size_t sink)
{
	const struct config *config = r->bench->config;
	struct buf out = { 0 };
	for (size_t i = 0; i < router_count(r->bench->router); i++) {
		const struct config_route *route = router_route(r->bench->router, i);
		if (!leads_to(route, sink))
			continue;
		char *why = show_verdict(&r->bench->event, config, route, r->reasons[i], r->event);
		buf_addf(&out, "%sroute %s:%d: %s", out.n ? "; " : "", show_config_name(config), route->line,
			 *why ? why : router_reason_text(r->reasons[i]));
		free(why);
	}
	char *text = xstrdup(out.n ? buf_cstr(&out) : "no route leads there");
	buf_free(&out);
	return text;
}

static void expect_sink(const struct routing *r, const struct node *at, patchbay_str name, struct faults *f)
{
	size_t sink = golden_find_sink(r->bench->config, name);
	if (way_to(r, sink))
		return;
	char *why = why_not(r, sink);
	fault_error(f, at->line, at->column, "expected '%.*s' to get it, it does not: %s", STR_ARG(name), why);
	free(why);
}

static void check_sinks(const struct routing *r, struct faults *f)
{
	const struct node *sinks = r->test->expect.sinks;
	const struct config *config = r->bench->config;
	size_t n = sinks && sinks->kind == NODE_LIST ? sinks->n : 1;
	if (!sinks)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct node *item = sinks->kind == NODE_LIST ? &sinks->items[i] : sinks;
		expect_sink(r, item, item->text, f);
	}
	for (size_t s = 0; s < config->n_sinks; s++) {
		const struct config_route *route = way_to(r, s);
		bool expected = false;
		for (size_t i = 0; i < n; i++)
			expected = expected || str_is(sinks->kind == NODE_LIST ? sinks->items[i].text : sinks->text,
						      config->sinks[s].name);
		if (route && !expected)
			fault_error(f, sinks->line, sinks->column, "'%s' gets it, too, by the route %s:%d",
				    config->sinks[s].name, show_config_name(config), route->line);
	}
}

static void check_why_not(const struct routing *r, struct faults *f)
{
	const struct node *map = r->test->expect.why_not;
	for (size_t i = 0; map && i < map->n; i++) {
		const struct node *item = &map->items[i];
		size_t sink = golden_find_sink(r->bench->config, item->key);
		const struct config_route *route = way_to(r, sink);
		if (route) {
			fault_error(f, item->key_line, item->key_column,
				    "expected '%.*s' not to get it, it does, by the route %s:%d", STR_ARG(item->key),
				    show_config_name(r->bench->config), route->line);
			continue;
		}
		char *why = why_not(r, sink);
		if (!contains(str_c(why), item->text))
			fault_error(f, item->line, item->column, "expected '%.*s' as the reason, it is: %s",
				    SHOWN(item->text), why);
		free(why);
	}
}

static void check_rendered(const struct routing *r, const struct golden_outcome *o, struct faults *f)
{
	const struct node *map = r->test->expect.rendered;
	for (size_t i = 0; map && i < map->n; i++) {
		const struct node *item = &map->items[i];
		struct node at = { .line = item->key_line, .column = item->key_column };
		size_t sink = golden_find_sink(r->bench->config, item->key);
		const struct config_route *route = way_to(r, sink);
		expect_sink(r, &at, item->key, f);
		if (!route)
			continue;
		char *text = xasprintf("%s:%d", show_config_name(r->bench->config), route->line);
		o->event->route = str_c(text);
		golden_check_rendered(r->bench, o, sink, item, f);
		o->event->route = STR("");
		free(text);
	}
}

void golden_run(struct golden_bench *b, const struct golden_test *t, struct faults *f)
{
	struct golden_outcome outcome;
	struct err err = { "" };
	if ((t->source ? golden_admit : golden_own)(b, t, &outcome, &err) < 0) {
		fault_error(f, t->line, t->column, "%s", err.text);
		return;
	}
	if (!check_verdict(t, &outcome, f))
		return;
	check_envelope(b, t, &outcome, f);
	struct routing routing = { b, t, outcome.event, xcalloc(router_count(b->router), sizeof(enum router_reason)) };
	for (size_t i = 0; i < router_count(b->router); i++)
		routing.reasons[i] = router_check(b->router, i, &b->event, outcome.event);
	check_sinks(&routing, f);
	check_why_not(&routing, f);
	check_rendered(&routing, &outcome, f);
	free(routing.reasons);
}
