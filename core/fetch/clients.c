/* clients.c - see clients.h. */
#include "fetch/clients.h"

#include "base/mem.h"
#include "base/str.h"
#include "plugin/ability.h"

#include <stdlib.h>

static void client_unref(struct client *client)
{
	if (atomic_fetch_sub(&client->refs, 1) != 1)
		return;
	instance_destroy(client->instance);
	generation_unref(client->generation);
	free(client);
}

/* 1: *ret; 0: it fetches no details; -1: err. */
static int client_create(struct generation *g, const struct config_source *s, struct client **ret, struct err *err)
{
	patchbay_enrich ability;
	if (!ABILITY_GET(s->plugin->source, PATCHBAY_ENRICH, &ability, enrich))
		return 0;
	struct instance *instance = instance_create(s->plugin, false, s->name, s->options, &s->secrets, err);
	if (!instance)
		return -1;
	struct client *client = xcalloc(1, sizeof *client);
	client->generation = generation_ref(g);
	client->source = s;
	client->ability = ability;
	client->instance = instance;
	atomic_init(&client->refs, 1);
	*ret = client;
	return 1;
}

static struct client *find_same(const struct enricher_change *in, const struct config_source *s)
{
	for (size_t i = 0; in && i < in->n; i++)
		if (config_source_same(in->v[i]->source, s))
			return in->v[i];
	return NULL;
}

struct enricher_change *clients_create(struct generation *g, const struct enricher_change *last, struct faults *faults)
{
	struct enricher_change *change = xcalloc(1, sizeof *change);
	bool good = true;
	change->v = xcalloc(g->config->n_sources + 1, sizeof(struct client *));
	for (size_t i = 0; i < g->config->n_sources; i++) {
		const struct config_source *s = &g->config->sources[i];
		struct client *had = find_same(last, s), *client = had;
		struct err err = { "" };
		int rc = had ? 1 : client_create(g, s, &client, &err);
		if (had)
			atomic_fetch_add(&had->refs, 1);
		if (rc > 0)
			change->v[change->n++] = client;
		if (rc < 0) {
			fault_error(faults, s->line, s->column, "%s", err.text);
			good = false;
		}
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
		client_unref(change->v[i]);
	free(change->v);
	free(change);
}

const struct client *clients_find(const struct enricher_change *in, const struct journal_record *record)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct client *client = in->v[i];
		if (str_is(record->source, client->source->name) &&
		    str_is(record->plugin, client->source->plugin->name))
			return client;
	}
	return NULL;
}
