/* poller.c - see poller.h; what happens in the threads is in polled.c. */
#include "fetch/poller.h"

#include "base/mem.h"
#include "fetch/polled.h"
#include "guard/guard.h"
#include "plugin/ability.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_MS 20000

struct polled_list {
	struct polled **v;
	size_t n;
};

struct poller {
	struct journal *journal;
	pthread_mutex_t lock;       /* guards what follows; only [control] changes it */
	struct polled_list polled;  /* at work */
	struct polled_list leaving; /* replaced or removed */
};

struct poller_change {
	struct polled_list polled; /* kept and new ones */
	bool *is_new;
};

/* ---- Change */

static struct polled *find(const struct polled_list *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->v[i]->source->name, name) == 0)
			return in->v[i];
	return NULL;
}

static bool among(const struct polled_list *in, const struct polled *p)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->v[i] == p)
			return true;
	return false;
}

static void add(struct polled_list *to, struct polled *p)
{
	to->v = xrealloc(to->v, (to->n + 1) * sizeof(struct polled *));
	to->v[to->n++] = p;
}

static bool is_wanted(const struct polled *p)
{
	char why[GUARD_WHY_SIZE];
	if (instance_is_left_out(p->instance))
		return false;
	if (guard_left_out(GUARD_POLLING, p->source->name, why)) {
		log_about(LOG_LEVEL_ERROR, &p->about, "source %s: nothing is fetched: %s", p->source->name, why);
		return false;
	}
	guard_enter(&(struct guard_note){ .call = GUARD_CREATE,
					  .side = GUARD_POLLING,
					  .plugin = p->source->plugin->name,
					  .instance = p->source->name,
					  .limit_ms = WANTED_MS });
	bool wanted = p->ability.wanted(instance_self(p->instance));
	guard_leave();
	return wanted;
}

/* 1: *ret; 0: it has nothing to poll; -1: err. */
static int create(struct poller *poller, struct generation *g, const struct config_source *source, struct polled **ret,
		  struct err *err)
{
	patchbay_poll ability;
	if (!ABILITY_GET(source->plugin->source, PATCHBAY_POLL, &ability, poll) || !ability.wanted)
		return 0;
	struct polled *p = polled_create(poller->journal, g, source, &ability, err);
	if (!p)
		return -1;
	struct polled *last = find(&poller->polled, source->name);
	if (!last)
		last = find(&poller->leaving, source->name);
	p->seat = last ? seat_ref(last->seat) : seat_create();
	bool wanted = is_wanted(p);
	if (wanted && polled_start(p, err) == 0) {
		*ret = p;
		return 1;
	}
	polled_destroy(p);
	return wanted ? -1 : 0;
}

struct poller_change *poller_prepare(struct poller *poller, struct generation *g, struct faults *faults)
{
	struct poller_change *change = xcalloc(1, sizeof *change);
	bool good = true;
	change->is_new = xcalloc(g->config->n_sources + 1, sizeof *change->is_new);
	for (size_t i = 0; i < g->config->n_sources; i++) {
		const struct config_source *source = &g->config->sources[i];
		struct polled *p = find(&poller->polled, source->name);
		struct err err = { "" };
		bool same = p && config_source_same(p->source, source);
		int rc = same ? 1 : create(poller, g, source, &p, &err);
		if (rc < 0) {
			fault_error(faults, source->line, source->column, "%s", err.text);
			good = false;
		} else if (rc > 0) {
			change->is_new[change->polled.n] = !same;
			add(&change->polled, p);
		}
	}
	if (good)
		return change;
	poller_abandon(change);
	return NULL;
}

void poller_commit(struct poller *poller, struct poller_change *change)
{
	struct polled_list before = poller->polled;
	pthread_mutex_lock(&poller->lock);
	poller->polled = change->polled;
	for (size_t i = 0; i < before.n; i++) {
		if (among(&poller->polled, before.v[i]))
			continue;
		add(&poller->leaving, before.v[i]);
		leash_ask_to_stop(&before.v[i]->leash);
	}
	pthread_mutex_unlock(&poller->lock);
	for (size_t i = 0; i < poller->polled.n; i++)
		if (change->is_new[i])
			polled_release(poller->polled.v[i]);
	free(before.v);
	free(change->is_new);
	free(change);
}

void poller_abandon(struct poller_change *change)
{
	for (size_t i = 0; change && i < change->polled.n; i++)
		if (change->is_new[i])
			polled_destroy(change->polled.v[i]);
	if (!change)
		return;
	free(change->polled.v);
	free(change->is_new);
	free(change);
}

bool poller_tidy(struct poller *poller)
{
	struct polled_list gone = { 0 };
	pthread_mutex_lock(&poller->lock);
	for (size_t i = 0; i < poller->leaving.n;) {
		struct polled *p = poller->leaving.v[i];
		if (!leash_has_ended(&p->leash)) {
			i++;
			continue;
		}
		add(&gone, p);
		poller->leaving.v[i] = poller->leaving.v[--poller->leaving.n];
	}
	bool wait = poller->leaving.n > 0;
	pthread_mutex_unlock(&poller->lock);
	for (size_t i = 0; i < gone.n; i++)
		polled_destroy(gone.v[i]);
	free(gone.v);
	return wait;
}

/* ---- Life */

struct poller *poller_start(struct journal *journal, struct generation *g, struct err *err)
{
	struct poller *poller = xcalloc(1, sizeof *poller);
	struct config_faults found = { 0 };
	struct faults faults = { .path = "", .list = &found };
	poller->journal = journal;
	pthread_mutex_init(&poller->lock, NULL);
	struct poller_change *change = poller_prepare(poller, g, &faults);
	if (change) {
		poller_commit(poller, change);
	} else {
		err_set(err, "%s", found.v[0].message);
		poller_stop(poller);
		poller = NULL;
	}
	config_faults_free(&found);
	return poller;
}

static void ask_to_stop(const struct polled_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		leash_ask_to_stop(&list->v[i]->leash);
}

void poller_ask_to_stop(struct poller *poller)
{
	if (!poller)
		return;
	ask_to_stop(&poller->polled);
	ask_to_stop(&poller->leaving);
}

static size_t destroy_all(struct polled_list *list)
{
	size_t stuck = 0;
	for (size_t i = 0; i < list->n; i++)
		stuck += !polled_destroy(list->v[i]);
	free(list->v);
	return stuck;
}

size_t poller_stop(struct poller *poller)
{
	if (!poller)
		return 0;
	poller_ask_to_stop(poller);
	size_t stuck = destroy_all(&poller->polled) + destroy_all(&poller->leaving);
	pthread_mutex_destroy(&poller->lock);
	free(poller);
	return stuck;
}

struct poller_stats *poller_stats(struct poller *poller, size_t *ret_n)
{
	pthread_mutex_lock(&poller->lock);
	size_t n = poller->polled.n;
	struct poller_stats *v = xcalloc(n + 1, sizeof *v);
	for (size_t i = 0; i < n; i++)
		polled_stats(poller->polled.v[i], &v[i]);
	pthread_mutex_unlock(&poller->lock);
	*ret_n = n;
	return v;
}
