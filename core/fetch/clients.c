/* clients.c - see clients.h. */
#include "fetch/clients.h"

#include "base/mem.h"
#include "base/str.h"
#include "plugin/ability.h"

#include <stdlib.h>

static const struct client *find_same(const struct enricher_change *in, const struct config_source *s)
{
	for (size_t i = 0; in && i < in->n; i++)
		if (live_is_same(in->v[i].live, s))
			return &in->v[i];
	return NULL;
}

struct enricher_change *clients_create(struct generation *g, const struct enricher_change *last, struct faults *faults)
{
	struct enricher_change *change = xcalloc(1, sizeof *change);
	bool good = true;
	change->v = xcalloc(g->config->n_sources + 1, sizeof *change->v);
	for (size_t i = 0; i < g->config->n_sources; i++) {
		const struct config_source *s = &g->config->sources[i];
		const struct client *had = find_same(last, s);
		struct client client;
		if (!ABILITY_GET(s->plugin->source, PATCHBAY_ENRICH, &client.ability, enrich))
			continue;
		client.live = had ? live_ref(had->live) : live_create(g, s, faults);
		if (client.live)
			change->v[change->n++] = client;
		else
			good = false;
	}
	if (good)
		return change;
	enricher_abandon(change);
	return NULL;
}

void enricher_abandon(struct enricher_change *change)
{
	if (!change)
		return;
	for (size_t i = 0; i < change->n; i++)
		live_unref(change->v[i].live);
	free(change->v);
	free(change);
}

const struct client *clients_find(const struct enricher_change *in, const struct journal_record *record)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct config_source *source = in->v[i].live->source;
		if (str_is(record->source, source->name) && str_is(record->plugin, source->plugin->name))
			return &in->v[i];
	}
	return NULL;
}
