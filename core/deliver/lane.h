/* lane.h - one instance of a sink's plugin with a thread of its own, in which all that may block is called. A worker
 * has as many as `concurrency` says, gives each one thing to do at a time, and leaves a lane behind that does not
 * come back: such a stray frees itself should it return, and touches nothing of its worker any more. */
#ifndef DELIVER_LANE_H
#define DELIVER_LANE_H

#include "base/call.h"
#include "config/config.h"
#include "deliver/batch.h"
#include "journal/journal.h"
#include "plugin/generation.h"
#include "plugin/host.h"

#include <patchbay/checkpoint.h>
#include <patchbay/idle.h>

#include <pthread.h>
#include <stdatomic.h>

/* Shared by a worker and its lanes, strays included. */
struct yard {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a lane is done, or the worker is to stop */
	unsigned refs, strays;
	struct journal *journal; /* NULL: the worker is gone */
	bool in_journal;         /* the worker waits in journal_wait() */
};

#define CHECKPOINT_MAX 4096 /* bytes */

struct sink_abilities { /* of its plugin; all zero where there are none */
	patchbay_checkpoint checkpoint;
	patchbay_idle idle;
};

enum lane_job { LANE_NOTHING, LANE_RESUME, LANE_ACT, LANE_IDLE, LANE_END };
enum lane_state { LANE_FREE, LANE_BUSY, LANE_DONE };

struct lane {
	struct yard *yard;
	const struct config_sink *sink;
	struct generation *generation; /* whose sink that is */
	struct instance *instance;
	struct sink_abilities abilities;
	pthread_t thread;
	_Atomic uint64_t guarded; /* the call, for guard_condemn() */
	pthread_cond_t wake;
	enum lane_job job;
	enum lane_state state; /* yard->lock */
	bool stray;            /* yard->lock */
	/* The worker's: */
	int64_t at_ms, began_ns; /* of the call: wall clock, steady clock */
	int64_t took_ns;         /* until it was found to have ended */
	int64_t cpu_ns;          /* what its thread had used of the processor when the call began */
	/* The lane's while BUSY, else the worker's: */
	struct patchbay_call call;
	struct batch batch;
	patchbay_str given;      /* RESUME: the checkpoint */
	patchbay_str checkpoint; /* handed back; lives as long as the call */
	patchbay_status status;  /* of RESUME and IDLE */
	bool resumed;
	bool reported;   /* that it does not return */
	unsigned again;  /* AGAIN in a row */
	int64_t idle_ns; /* steady clock: when idle() is next */
};

struct yard *yard_create(struct journal *);
void yard_release(struct yard *); /* by the worker; goes when the last stray has come back */

/* NULL: err says why (the plugin's create(), or no thread). */
struct lane *lane_create(struct yard *, struct generation *, const struct config_sink *, const struct sink_abilities *,
			 struct err *err);
void lane_start(struct lane *, enum lane_job, int64_t began_ns);
bool lane_is(struct lane *, enum lane_state);
void lane_take(struct lane *); /* DONE: what it did has been dealt with; it is FREE */
/* How much of the time since the call began its thread has used of a processor: 0 to 1. */
double lane_busyness(const struct lane *, int64_t now_ns);
/* When it should have returned, at the latest; steady clock. */
int64_t lane_overdue_ns(const struct lane *);
/* FREE: ends its thread and frees all. BUSY: leaves it behind. */
void lane_drop(struct lane *);

#endif
