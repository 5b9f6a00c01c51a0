/* dispatcher.h - brings events from the journal to the sinks: threads, a cursor and plugin instances for each
 * sink, so that none can delay another. What a sink decides becomes durable before it is asked again. */
#ifndef DELIVER_DISPATCHER_H
#define DELIVER_DISPATCHER_H

#include "base/err.h"
#include "config/config.h"
#include "journal/journal.h"

struct dispatcher;

/* Opens every sink of the configuration in the journal, makes its instance and starts its thread. NULL: err
 * says why; nothing runs then. Journal and configuration must outlive the dispatcher. [control] */
struct dispatcher *dispatcher_start(struct journal *, const struct config *, struct err *err);

/* Lets calls that are under way return, for ten seconds, settles what they decided, and takes everything down. What is
 * not settled then is still owed. Returns how many calls never came back: as long as they may, the configuration
 * and the plugins must stay. NULL is fine. [control] */
size_t dispatcher_stop(struct dispatcher *);

struct dispatcher_stats { /* of one sink; counts since the start */
	const char *sink;
	struct journal_pos cursor;
	bool at_end;      /* nothing is left that it has not looked at */
	uint64_t done;    /* deliveries that succeeded */
	uint64_t retried; /* results that asked for another attempt */
	uint64_t parked;  /* deliveries that were put aside, to be retried by themselves */
	uint64_t dead, skipped;
	unsigned strays;  /* calls that were abandoned and have not returned */
	int64_t trouble_since_ms; /* wall clock; 0: it works */
	char reason[256];         /* the last failure, "" if there was none */
};

/* Fills in up to max; returns how many sinks there are. [any thread] */
size_t dispatcher_stats(struct dispatcher *, struct dispatcher_stats *ret, size_t max);

#endif
