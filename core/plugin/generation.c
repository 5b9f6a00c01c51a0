/* generation.c - see generation.h. Plugins' tables stay for ever, so a configuration needs no registry any more. */
#include "plugin/generation.h"

#include "base/mem.h"
#include "config/fault.h"
#include "plugin/host.h"

#include <stdlib.h>
#include <string.h>

static bool said_already(const struct config_faults *faults, const char *sentence)
{
	for (size_t i = 0; i < faults->n; i++)
		if (strstr(faults->v[i].message, sentence))
			return true;
	return false;
}

static void warn_of_refused(const char *path, const struct registry *registry, struct config_faults *list)
{
	struct faults faults = { .path = path, .list = list };
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *e = registry_at(registry, i);
		size_t n = strlen(e->path);
		bool file = n > 3 && strcmp(e->path + n - 3, ".so") == 0; /* else it is a folder that is missing */
		if (e->refused && file && !said_already(list, e->refused))
			fault_warning(&faults, 0, 0, "a plugin is not taken: %s", e->refused);
	}
}

struct generation *generation_load(const char *path, struct config_faults *faults)
{
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct generation *g = xcalloc(1, sizeof *g);
	g->config = g->owned = config_load(path, &plugins, faults);
	warn_of_refused(path, registry, faults);
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
