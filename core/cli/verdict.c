/* verdict.c - why a route did not take an event, in a person's words. */
#include "cli/show.h"

#include "base/mem.h"
#include "expr/clauses.h"

#include <stdlib.h>
#include <string.h>

const char *show_config_name(const struct config *config)
{
	const char *slash = strrchr(config->path, '/');
	return slash ? slash + 1 : config->path;
}

char *show_sources_of(const struct config *config, const struct config_route *route)
{
	struct buf out = { 0 };
	for (size_t i = 0; i < route->n_sources; i++)
		buf_addf(&out, "%s%s", i ? ", " : "", config->sources[route->sources[i]].name);
	if (route->own)
		buf_addf(&out, "%s%s", out.n ? ", " : "", CONFIG_OWN_SOURCE);
	char *text = xstrdup(out.n ? buf_cstr(&out) : "*");
	buf_free(&out);
	return text;
}

char *show_sinks_of(const struct config *config, const struct config_route *route)
{
	struct buf out = { 0 };
	for (size_t i = 0; i < route->n_sinks; i++)
		buf_addf(&out, "%s%s", i ? ", " : "", config->sinks[route->sinks[i]].name);
	char *text = xstrdup(buf_cstr(&out));
	buf_free(&out);
	return text;
}

static void add_types(struct buf *out, const struct config_route *route, const patchbay_delivery *event)
{
	buf_add_str(out, STR("type: "));
	for (size_t i = 0; i < route->types.n; i++)
		buf_addf(out, "%s%.*s", i ? ", " : "", STR_ARG(route->types.v[i]));
	buf_addf(out, route->types.n > 1 ? ": none matches %.*s" : " does not match %.*s", STR_ARG(event->type));
	if (!str_eq(event->kind, event->type))
		buf_addf(out, " (kind %.*s)", STR_ARG(event->kind));
}

char *show_verdict(patchbay_call *call, const struct config *config, const struct config_route *route,
		   enum router_reason reason, const patchbay_delivery *event)
{
	struct buf out = { 0 };
	char *sources;
	switch (reason) {
	case ROUTER_OK:
		break;
	case ROUTER_OTHER_SOURCE:
		sources = show_sources_of(config, route);
		buf_addf(&out, "from: %s; it came from %.*s", sources, STR_ARG(event->source));
		free(sources);
		break;
	case ROUTER_TEST_EVENT:
		buf_add_str(&out, STR("it is a test call, and the route does not say `test: true`"));
		break;
	case ROUTER_OTHER_TYPE:
		add_types(&out, route, event);
		break;
	case ROUTER_WHEN_FALSE:
	case ROUTER_WHEN_ERROR:
		if (route->types.n)
			buf_add_str(&out, STR("type matched; "));
		buf_add_str(&out, STR("when: "));
		clauses_explain(call, route->when, event, &out);
		break;
	}
	char *text = xstrdup(buf_cstr(&out));
	buf_free(&out);
	return text;
}
