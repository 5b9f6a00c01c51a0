/* golden_bench.c - what golden tests are run on: the configuration's instances and routes. */
#include "cli/golden.h"

#include "base/mem.h"
#include "deliver/router.h"

#include <stdlib.h>

#define CALL_MEMORY (256u << 20)

void golden_bench_init(struct golden_bench *b, const struct config *config)
{
	*b = (struct golden_bench){ .config = config };
	b->sources = xcalloc(config->n_sources, sizeof(struct instance *));
	b->sinks = xcalloc(config->n_sinks, sizeof(struct instance *));
	b->router = router_create(config, ROUTER_ALL_SINKS);
	call_init(&b->request, CALL_MEMORY);
	call_init(&b->event, CALL_MEMORY);
}

void golden_bench_fini(struct golden_bench *b)
{
	for (size_t i = 0; i < b->config->n_sources; i++)
		instance_destroy(b->sources[i]);
	for (size_t i = 0; i < b->config->n_sinks; i++)
		instance_destroy(b->sinks[i]);
	free(b->sources);
	free(b->sinks);
	router_destroy(b->router);
	call_fini(&b->request);
	call_fini(&b->event);
}

static struct instance *make(const patchbay_plugin *plugin, bool sink, const char *name, const void *options,
			     const struct config_secrets *secrets, struct err *err)
{
	struct err why = { "" };
	struct instance *instance = instance_create(plugin, sink, name, options, secrets, &why);
	if (instance)
		return instance;
	const char *made_up = NULL;
	for (size_t i = 0; i < secrets->n; i++)
		if (secrets->v[i].made_up)
			made_up = secrets->v[i].name;
	if (made_up)
		err_set(err, "%s; its secret (%s) is not to be had here and was made up: set it to try this", why.text,
			made_up);
	else
		err_set(err, "%s", why.text);
	return NULL;
}

struct instance *golden_source(struct golden_bench *b, const struct config_source *source, struct err *err)
{
	struct instance **at = &b->sources[source - b->config->sources];
	if (!*at)
		*at = make(source->plugin, false, source->name, source->options, &source->secrets, err);
	return *at;
}

struct instance *golden_sink(struct golden_bench *b, size_t i, struct err *err)
{
	const struct config_sink *sink = &b->config->sinks[i];
	if (!b->sinks[i])
		b->sinks[i] = make(sink->plugin, true, sink->name, sink->options, &sink->secrets, err);
	return b->sinks[i];
}
