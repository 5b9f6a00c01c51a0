/* polled.h - inside the poller: one source that fetches events by itself, with its instance and its thread, which asks
 * the plugin step by step, and makes durable what each step brings. */
#ifndef FETCH_POLLED_H
#define FETCH_POLLED_H

#include "base/call.h"
#include "base/log.h"
#include "base/seat.h"
#include "fetch/leash.h"
#include "fetch/poller.h"
#include "plugin/host.h"

#include <patchbay/fetch.h>

struct polled {
	struct journal *journal;
	struct generation *generation;
	const struct config_source *source; /* of that */
	struct seat *seat;                  /* of all of this name */
	patchbay_poll ability;
	struct instance *instance;
	patchbay_call call;
	struct journal_ticket ticket;
	struct buf cursor; /* the durable one */
	struct log_about about;
	struct log_limit trouble;
	bool told;         /* that it fails is in the log */
	uint32_t failures; /* in a row */
	int64_t began_ns;  /* steady clock: of the first of them */
	pthread_t thread;
	bool started;
	struct leash leash;
	pthread_mutex_t lock; /* guards what follows */
	bool held;            /* it may not begin yet */
	struct poller_stats stats;
};

/* Makes the instance; the seat, which it takes over, is to be set before the thread starts. NULL: err. [control] */
struct polled *polled_create(struct journal *, struct generation *, const struct config_source *, const patchbay_poll *,
			     struct err *err);
int polled_start(struct polled *, struct err *err); /* held. Not 0: err. [control] */
void polled_release(struct polled *);               /* it may begin, when its predecessor has left. [control] */
/* Asks it to end, and waits. False: it is stuck in its plugin, and must stay as it is. [control] */
bool polled_destroy(struct polled *);
void polled_stats(struct polled *, struct poller_stats *ret); /* [any thread] */

#endif
