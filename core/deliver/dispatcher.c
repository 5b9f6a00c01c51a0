/* dispatcher.c - see dispatcher.h; what happens in the threads is in worker.c and its neighbours. */
#include "deliver/dispatcher.h"

#include "base/mem.h"
#include "deliver/worker.h"

#include <stdlib.h>

struct dispatcher {
	struct journal *journal;
	struct worker **workers;
	size_t n;
};

#define WAKE_MS 20 /* a thread may be on its way into journal_wait() when it is woken: wake it again */

static int keep_sinks(struct journal *journal, const struct config *config, struct err *err)
{
	const char **names = xcalloc(config->n_sinks + 1, sizeof(*names));
	for (size_t i = 0; i < config->n_sinks; i++)
		names[i] = config->sinks[i].name;
	names[config->n_sinks] = JOURNAL_SINK_ENRICH;
	int r = journal_sinks_keep(journal, names, config->n_sinks + 1, err);
	free(names);
	return r;
}

struct dispatcher *dispatcher_start(struct journal *journal, const struct config *config, struct err *err)
{
	struct dispatcher *dispatcher = xcalloc(1, sizeof(*dispatcher));
	dispatcher->journal = journal;
	dispatcher->workers = xcalloc(config->n_sinks + 1, sizeof(struct worker *));
	for (size_t i = 0; i < config->n_sinks; i++) {
		struct worker *worker = worker_create(journal, config, i, err);
		if (!worker)
			goto fail;
		dispatcher->workers[dispatcher->n++] = worker;
	}
	if (keep_sinks(journal, config, err) < 0)
		goto fail;
	for (size_t i = 0; i < dispatcher->n; i++)
		if (worker_start(dispatcher->workers[i], err) < 0)
			goto fail;
	return dispatcher;
fail:
	dispatcher_stop(dispatcher);
	return NULL;
}

size_t dispatcher_stop(struct dispatcher *dispatcher)
{
	size_t strays = 0;
	if (!dispatcher)
		return 0;
	for (size_t i = 0; i < dispatcher->n; i++)
		worker_ask_to_stop(dispatcher->workers[i]);
	for (size_t i = 0; i < dispatcher->n; i++) {
		do {
			journal_wake(dispatcher->journal);
		} while (!worker_has_ended(dispatcher->workers[i], WAKE_MS));
	}
	for (size_t i = 0; i < dispatcher->n; i++)
		strays += worker_destroy(dispatcher->workers[i]);
	free(dispatcher->workers);
	free(dispatcher);
	return strays;
}

size_t dispatcher_stats(struct dispatcher *dispatcher, struct dispatcher_stats *ret, size_t max)
{
	for (size_t i = 0; i < dispatcher->n && i < max; i++)
		worker_stats(dispatcher->workers[i], &ret[i]);
	return dispatcher->n;
}
