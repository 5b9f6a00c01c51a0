/* worker.h - inside the dispatcher: the thread of one sink.
 *
 *   worker.c   life of the thread, waiting
 *   trouble.c   that the destination does not work, and when to try again
 *   batch.c    what to act on next: due deliveries, or fresh events from the cursor
 *   outcome.c  act, and what its results mean: settled, parked, dead, or trouble of the destination
 *
 * A result of RETRY for some of a batch is about these events: they are parked, with a row each in the
 * journal, and the cursor moves on. RETRY (or EBADSINK) for all of it is about the destination: nothing is
 * written, the cursor stays, and after a while a single event probes whether it works again. */
#ifndef DELIVER_WORKER_H
#define DELIVER_WORKER_H

#include "base/call.h"
#include "base/log.h"
#include "config/config.h"
#include "deliver/dispatcher.h"
#include "deliver/retry.h"
#include "deliver/router.h"
#include "journal/journal.h"
#include "plugin/host.h"

#include <pthread.h>
#include <stdatomic.h>

struct batch_item {
	struct journal_pos at;
	struct id id;
	bool parked;
	uint32_t attempts; /* made before this one */
	int64_t first_ms;  /* parked: when the first was made */
};

struct batch {
	struct arena arena;
	struct journal_pos start, end; /* fresh: what was read, from, to */
	struct batch_item *items;      /* the events to act on, in three parallel arrays */
	const patchbay_delivery **deliveries;
	patchbay_result *results;
	size_t n, room, bytes;
	size_t scanned;                  /* records read for it */
	struct journal_settled *settled; /* outcomes: skipped ones at once, the others after the act */
	size_t n_settled, settled_room;
};

struct trouble { /* of the destination */
	bool on;
	bool needs_person; /* EBADSINK */
	uint32_t failures; /* in a row */
	int64_t began_ns;  /* steady clock */
	int64_t next_ns;   /* steady clock: when to probe */
	struct id probe;   /* the event that is probed with, */
	uint32_t probes;   /* how often that failed */
	uint32_t attempts; /* and how often it was attempted in all */
};

struct worker {
	struct journal *journal;
	const struct config *config;
	const struct config_sink *sink;
	struct instance *instance;
	struct router *router;
	struct journal_reader *reader;
	patchbay_str checkpoint; /* at start; malloc'ed */
	patchbay_call call;      /* of the plugin */
	patchbay_call match;     /* of the router */
	struct batch batch;
	struct journal_pos cursor; /* durable */
	struct journal_pos read;   /* looked at */
	size_t unsettled;          /* records between them */
	int64_t unsettled_ns;      /* since when there are any; steady clock */
	int64_t next_due_ms;       /* wall clock: the next parked delivery; INT64_MAX none */
	int64_t idle_ns;           /* steady clock: when idle() is next */
	int64_t wall_base_ns;      /* wall clock minus steady clock, at start */
	struct trouble trouble;
	struct retry_random random;
	struct log_limit bad_sink, late, unreadable, unsettleable, idle_failed;
	pthread_t thread;
	bool started;
	atomic_bool stopping;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool ended;
	struct dispatcher_stats stats;
	struct journal_pos stats_read;
};

/* ---- worker.c */

struct worker *worker_create(struct journal *, const struct config *, size_t sink_index, struct err *err);
int worker_start(struct worker *, struct err *err);
void worker_ask_to_stop(struct worker *);
bool worker_has_ended(struct worker *, int64_t wait_ms); /* waits that long for it */
void worker_destroy(struct worker *);                    /* joins; NULL is fine */
void worker_stats(struct worker *, struct dispatcher_stats *ret);

bool worker_sleep_until(struct worker *, int64_t steady_ns); /* false: it is time to stop */
/* The wall clock, but never behind the time that has passed since the start: a clock that is set back
 * must not hold up what is due. */
int64_t worker_now_ms(const struct worker *);
/* Settles, and tries again until that works: what a sink did must be on record before it is asked for
 * more. -1: it is time to stop, and the outcome is lost (the events will be acted on again). */
int worker_settle(struct worker *, const struct journal_pos *cursor, const struct journal_settled *, size_t n,
		  const patchbay_str *checkpoint);

/* ---- trouble.c */

void worker_note_reason(struct worker *, patchbay_str why);
/* An attempt failed because of the destination: trouble, or more of it; not before after_ms again. */
void worker_failed(struct worker *, bool needs_person, int64_t after_ms, patchbay_str why);
void worker_works(struct worker *);

/* ---- batch.c */

int batch_fill_fresh(struct worker *, size_t max); /* from worker.read, which moves on */
int batch_fill_parked(struct worker *, size_t max);
struct journal_settled *batch_settled(struct batch *); /* a new, zeroed one at the end of the list */
void batch_fini(struct batch *);

/* ---- outcome.c: act on the batch and settle it. -1: it is time to stop. */

int outcome_fresh(struct worker *);
int outcome_parked(struct worker *);

#endif
