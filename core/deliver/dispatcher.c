/* dispatcher.c - see dispatcher.h; what happens in the threads is in worker.c and its neighbours. */
#include "deliver/dispatcher.h"

#include "base/mem.h"
#include "deliver/worker.h"

#include <stdlib.h>
#include <string.h>

struct workers {
	struct worker **v;
	size_t n;
};

struct dispatcher {
	struct journal *journal;
	pthread_mutex_t lock;   /* guards what follows; only [control] changes it */
	struct workers workers; /* in the order of the configuration */
	struct workers leaving; /* replaced or removed */
};

struct dispatcher_change {
	struct generation *generation;
	struct workers workers; /* kept and new ones */
	bool *is_new;
	bool opened; /* the journal has been told */
};

#define WAKE_MS 20 /* a thread may be on its way into journal_wait() when it is woken: wake it again */

static struct worker *find(const struct workers *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->v[i]->sink->name, name) == 0)
			return in->v[i];
	return NULL;
}

static void add(struct workers *to, struct worker *w)
{
	to->v = xrealloc(to->v, (to->n + 1) * sizeof(struct worker *));
	to->v[to->n++] = w;
}

/* ---- Change */

static struct worker *create(struct dispatcher *d, struct generation *g, size_t i, struct faults *faults)
{
	const struct config_sink *sink = &g->config->sinks[i];
	struct worker *last = find(&d->workers, sink->name);
	struct err err = { 0 };
	if (!last)
		last = find(&d->leaving, sink->name);
	struct seat *seat = last ? seat_ref(last->seat) : seat_create();
	struct worker *w = worker_create(d->journal, g, i, seat, &err);
	seat_unref(seat);
	if (!w)
		fault_error(faults, sink->line, sink->column, "%s", err.text);
	return w;
}

struct dispatcher_change *dispatcher_prepare(struct dispatcher *d, struct generation *g, struct faults *faults)
{
	struct dispatcher_change *change = xcalloc(1, sizeof *change);
	size_t n = g->config->n_sinks;
	change->generation = generation_ref(g);
	change->is_new = xcalloc(n + 1, sizeof *change->is_new);
	for (size_t i = 0; i < n; i++) {
		const struct config_sink *sink = &g->config->sinks[i];
		struct worker *had = find(&d->workers, sink->name);
		bool same = had && config_sink_same(had->sink, sink) && !had->left_out;
		struct worker *w = same ? had : create(d, g, i, faults);
		if (!w)
			continue;
		change->is_new[change->workers.n] = !same;
		add(&change->workers, w);
	}
	if (change->workers.n == n)
		return change;
	dispatcher_abandon(d, change);
	return NULL;
}

/* Those of the new configuration, and until all is settled those of the old one. */
static int keep_sinks(struct dispatcher *d, const struct workers *also, struct err *err)
{
	const struct workers *both[] = { &d->workers, also };
	const char **names = xcalloc(d->workers.n + also->n + 1, sizeof *names);
	size_t n = 0;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < both[k]->n; i++)
			names[n++] = both[k]->v[i]->sink->name;
	names[n++] = JOURNAL_SINK_ENRICH;
	int r = journal_sinks_keep(d->journal, names, n, err);
	free(names);
	return r;
}

/* A sink that nobody had until now begins with the next event, so it must be known before there is one. */
int dispatcher_open(struct dispatcher *d, struct dispatcher_change *change, struct err *err)
{
	change->opened = true;
	for (size_t i = 0; i < change->workers.n; i++) {
		struct worker *w = change->workers.v[i];
		const char *name = w->sink->name;
		bool first = !find(&d->workers, name) && !find(&d->leaving, name);
		if (change->is_new[i] && ((first && worker_open(w, err) != 0) || worker_start(w, err) != 0))
			return -1;
	}
	return keep_sinks(d, &change->workers, err);
}

static bool among(const struct workers *in, const struct worker *w)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->v[i] == w)
			return true;
	return false;
}

void dispatcher_commit(struct dispatcher *d, struct dispatcher_change *change, struct reload_counts *ret)
{
	struct workers before = d->workers;
	struct err err;
	*ret = (struct reload_counts){ 0 };
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < change->workers.n; i++) {
		struct worker *w = change->workers.v[i];
		if (!change->is_new[i]) {
			worker_reroute(w, change->generation, i);
			ret->kept++;
		} else if (find(&before, w->sink->name)) {
			ret->replaced++;
		} else {
			ret->added++;
		}
	}
	d->workers = change->workers;
	for (size_t i = 0; i < before.n; i++) {
		struct worker *w = before.v[i];
		if (among(&d->workers, w))
			continue;
		ret->removed += !find(&d->workers, w->sink->name);
		add(&d->leaving, w);
		worker_ask_to_leave(w);
	}
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < d->workers.n; i++)
		if (change->is_new[i])
			worker_release(d->workers.v[i]);
	if (ret->removed && keep_sinks(d, &(struct workers){ 0 }, &err) != 0)
		log_warning("the retention waits for sinks that are gone, until the next reload: %s", err.text);
	free(before.v);
	free(change->is_new);
	generation_unref(change->generation);
	free(change);
}

void dispatcher_abandon(struct dispatcher *d, struct dispatcher_change *change)
{
	struct err err;
	if (!change)
		return;
	for (size_t i = 0; i < change->workers.n; i++)
		if (change->is_new[i])
			worker_destroy(change->workers.v[i]);
	if (change->opened && d->workers.n && keep_sinks(d, &(struct workers){ 0 }, &err) != 0)
		log_warning("the retention waits for sinks that do not run, until the next reload: %s", err.text);
	free(change->workers.v);
	free(change->is_new);
	generation_unref(change->generation);
	free(change);
}

bool dispatcher_tidy(struct dispatcher *d)
{
	struct workers gone = { 0 };
	bool wait = false;
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->leaving.n;) {
		struct worker *w = d->leaving.v[i];
		struct dispatcher_stats stats;
		bool ended = worker_has_ended(w, 0);
		worker_stats(w, &stats);
		if (!ended)
			worker_nudge(w);
		wait |= !ended;
		if (!ended || stats.strays) { /* they are counted when the process ends */
			i++;
			continue;
		}
		add(&gone, w);
		d->leaving.v[i] = d->leaving.v[--d->leaving.n];
	}
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < gone.n; i++)
		worker_destroy(gone.v[i]);
	free(gone.v);
	return wait;
}

/* ---- Life */

struct dispatcher *dispatcher_start(struct journal *journal, struct generation *g, struct err *err)
{
	struct dispatcher *d = xcalloc(1, sizeof *d);
	struct config_faults found = { 0 };
	struct faults faults = { .path = "", .list = &found };
	struct reload_counts counts;
	d->journal = journal;
	pthread_mutex_init(&d->lock, NULL);
	struct dispatcher_change *change = dispatcher_prepare(d, g, &faults);
	bool good = change && dispatcher_open(d, change, err) == 0;
	if (good)
		dispatcher_commit(d, change, &counts);
	else if (change)
		dispatcher_abandon(d, change);
	else
		err_set(err, "%s", found.v[0].message);
	config_faults_free(&found);
	if (good)
		return d;
	dispatcher_stop(d);
	return NULL;
}

static size_t stop_all(struct dispatcher *d, struct workers *workers)
{
	size_t strays = 0;
	for (size_t i = 0; i < workers->n; i++) {
		do {
			journal_wake(d->journal);
		} while (!worker_has_ended(workers->v[i], WAKE_MS));
	}
	for (size_t i = 0; i < workers->n; i++)
		strays += worker_destroy(workers->v[i]);
	free(workers->v);
	return strays;
}

size_t dispatcher_stop(struct dispatcher *d)
{
	if (!d)
		return 0;
	for (size_t i = 0; i < d->workers.n; i++)
		worker_ask_to_stop(d->workers.v[i]);
	for (size_t i = 0; i < d->leaving.n; i++)
		worker_ask_to_stop(d->leaving.v[i]);
	size_t strays = stop_all(d, &d->workers) + stop_all(d, &d->leaving);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return strays;
}

/* Who waits for a predecessor is in its trouble. */
static void add_leaving(struct dispatcher *d, struct dispatcher_stats *stats)
{
	for (size_t i = 0; i < d->leaving.n; i++) {
		struct dispatcher_stats old;
		worker_stats(d->leaving.v[i], &old);
		if (strcmp(old.sink, stats->sink) != 0)
			continue;
		stats->strays += old.strays;
		if (stats->trouble_since_ms || worker_has_ended(d->leaving.v[i], 0))
			continue;
		stats->trouble_since_ms = old.trouble_since_ms;
		stats->broken = old.broken;
		memcpy(stats->reason, old.reason, sizeof stats->reason);
	}
}

struct dispatcher_stats *dispatcher_stats(struct dispatcher *d, size_t *ret_n)
{
	pthread_mutex_lock(&d->lock);
	size_t n = d->workers.n;
	struct dispatcher_stats *v = xcalloc(n + 1, sizeof *v);
	for (size_t i = 0; i < n; i++) {
		worker_stats(d->workers.v[i], &v[i]);
		add_leaving(d, &v[i]);
	}
	pthread_mutex_unlock(&d->lock);
	*ret_n = n;
	return v;
}
