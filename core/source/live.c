/* live.c - see live.h. */
#include "source/live.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct pulse *pulse_ref(struct pulse *pulse)
{
	atomic_fetch_add(&pulse->refs, 1);
	return pulse;
}

void pulse_unref(struct pulse *pulse)
{
	if (pulse && atomic_fetch_sub(&pulse->refs, 1) == 1)
		free(pulse);
}

struct live *live_ref(struct live *live)
{
	atomic_fetch_add(&live->refs, 1);
	return live;
}

void live_unref(struct live *live)
{
	if (!live || atomic_fetch_sub(&live->refs, 1) != 1)
		return;
	instance_destroy(live->instance);
	pulse_unref(live->pulse);
	generation_unref(live->generation);
	free(live);
}

struct live *live_set_find(const struct live_set *set, const char *name)
{
	for (size_t i = 0; set && i < set->n; i++)
		if (strcmp(set->v[i]->source->name, name) == 0)
			return set->v[i];
	return NULL;
}

struct live *live_create(struct generation *g, const struct config_source *s, struct faults *faults)
{
	struct err err;
	struct instance *instance = instance_create(s->plugin, false, s->name, s->options, &s->secrets, &err);
	if (!instance) {
		fault_error(faults, s->line, s->column, "%s", err.text);
		return NULL;
	}
	struct live *live = xcalloc(1, sizeof *live);
	live->source = s;
	live->instance = instance;
	live->generation = generation_ref(g);
	live->pulse = xcalloc(1, sizeof *live->pulse);
	atomic_init(&live->pulse->refs, 1);
	atomic_init(&live->refs, 1);
	return live;
}

bool live_is_same(const struct live *live, const struct config_source *s)
{
	return config_source_same(live->source, s) && !instance_is_left_out(live->instance);
}

struct live_set *live_set_create(struct generation *g, const struct live_set *last, struct faults *faults)
{
	struct live_set *set = xcalloc(1, sizeof *set);
	set->generation = generation_ref(g);
	set->v = xcalloc(g->config->n_sources + 1, sizeof(struct live *));
	for (size_t i = 0; i < g->config->n_sources; i++) {
		const struct config_source *s = &g->config->sources[i];
		struct live *had = live_set_find(last, s->name);
		struct live *live = had && live_is_same(had, s) ? live_ref(had) : live_create(g, s, faults);
		if (!live)
			continue;
		if (had && had != live) {
			pulse_unref(live->pulse);
			live->pulse = pulse_ref(had->pulse);
		}
		set->v[set->n++] = live;
	}
	if (set->n == g->config->n_sources)
		return set;
	live_set_destroy(set);
	return NULL;
}

void live_set_destroy(struct live_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		live_unref(set->v[i]);
	free(set->v);
	generation_unref(set->generation);
	free(set);
}
