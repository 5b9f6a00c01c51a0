/* poller.h - sources that fetch events by themselves (PATCHBAY_POLL of <patchbay/fetch.h>): a thread and a plugin
 * instance for each. What a step brings becomes durable together with how far it came, so that nothing is fetched
 * twice or left out, whenever the process ends. */
#ifndef FETCH_POLLER_H
#define FETCH_POLLER_H

#include "base/err.h"
#include "config/fault.h"
#include "journal/journal.h"
#include "plugin/generation.h"

struct poller;

/* Starts a thread for every source that has something to poll; there may be none. NULL: err. [control] */
struct poller *poller_start(struct journal *, struct generation *, struct err *err);

/* A new configuration: sources that are the same go on; others are made anew, and begin when the step of the old one
 * has ended. [control] */
struct poller_change;
struct poller_change *poller_prepare(struct poller *, struct generation *,
				     struct faults *); /* NULL: there are faults */
void poller_commit(struct poller *, struct poller_change *);
void poller_abandon(struct poller_change *); /* NULL is fine */
bool poller_tidy(struct poller *);           /* frees what has ended since. True: something is about to */

/* Steps that are under way may end, within ten seconds, and what they bring is kept. poller_stop() returns how many did
 * not come back: as long as they may, the plugins must stay. NULL is fine. [control] */
void poller_ask_to_stop(struct poller *);
size_t poller_stop(struct poller *);

struct poller_stats { /* of one source; counts since it was started */
	char source[CONFIG_NAME_SIZE];
	uint64_t steps, failures; /* that worked, that did not */
	uint64_t events;          /* that steps brought; those known already included */
	int64_t trouble_since_ms; /* wall clock; 0: it works */
	char reason[256];         /* the last failure, "" if there was none */
};
/* Of every source that polls; free() it. [any thread] */
struct poller_stats *poller_stats(struct poller *, size_t *ret_n);

#endif
