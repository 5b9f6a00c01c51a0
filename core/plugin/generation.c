/* generation.c - see generation.h. Plugins' tables stay for ever, so a configuration needs no registry any more. */
#include "plugin/generation.h"

#include "base/mem.h"
#include "plugin/host.h"

#include <stdlib.h>

struct generation *generation_load(const char *path, struct config_faults *faults)
{
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct generation *g = xcalloc(1, sizeof *g);
	g->config = g->owned = config_load(path, &plugins, faults);
	registry_warn(registry, path, faults);
	registry_destroy(registry);
	atomic_init(&g->refs, 1);
	if (g->config)
		return g;
	free(g);
	return NULL;
}

struct generation *generation_ref(struct generation *g)
{
	atomic_fetch_add(&g->refs, 1);
	return g;
}

void generation_unref(struct generation *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
		return;
	config_free(g->owned);
	free(g);
}
