/* enricher.h - events that are held until their details were asked for (PATCHBAY_ENRICH of <patchbay/fetch.h>): one
 * thread asks the plugin of each one's source, and releases the event, with the details or with the reason why there
 * are none. How far it came is durable in the journal, as if it were a sink (JOURNAL_SINK_ENRICH); it starts where it
 * ended, and releases no event twice. */
#ifndef FETCH_ENRICHER_H
#define FETCH_ENRICHER_H

#include "base/err.h"
#include "config/fault.h"
#include "journal/journal.h"
#include "plugin/generation.h"

struct enricher;

/* Before anything is taken in: what is taken in before the first start is not seen. Does nothing, and starts no
 * thread, where no source can fetch details and none ever could. NULL: err. [control] */
struct enricher *enricher_start(struct journal *, struct generation *, struct err *err);

/* A new configuration: instances of sources that are the same stay; those of others are made anew, and asked from the
 * next event on. Its thread runs before enricher_open() returns, if there is anybody to ask. [control] */
struct enricher_change;
struct enricher_change *enricher_prepare(struct enricher *, struct generation *, struct faults *); /* NULL: faults */
int enricher_open(struct enricher *, const struct enricher_change *, struct err *err); /* not 0: err; abandon it */
void enricher_commit(struct enricher *, struct enricher_change *);
void enricher_abandon(struct enricher_change *); /* NULL is fine */

/* A call that is under way may end, within ten seconds. enricher_stop() returns how many did not come back: as long as
 * they may, the plugins must stay. NULL is fine. [control] */
void enricher_ask_to_stop(struct enricher *);
size_t enricher_stop(struct enricher *);

struct enricher_stats {                 /* since the start */
	uint64_t with_details, without; /* events released */
	uint64_t retried;
};
void enricher_stats(struct enricher *, struct enricher_stats *ret); /* [any thread] */

#endif
