/* dispatcher.h - brings events from the journal to the sinks: threads, a cursor and plugin instances for each
 * sink, so that none can delay another. What a sink decides becomes durable before it is asked again. */
#ifndef DELIVER_DISPATCHER_H
#define DELIVER_DISPATCHER_H

#include "base/err.h"
#include "config/fault.h"
#include "journal/journal.h"
#include "plugin/generation.h"

struct dispatcher;

/* Opens every sink of the configuration in the journal, makes its instance and starts its thread. NULL: err
 * says why; nothing runs then. The journal must outlive the dispatcher. [control] */
struct dispatcher *dispatcher_start(struct journal *, struct generation *, struct err *err);

/* ---- A new configuration. Sinks that are the same go on as they are, by its routes; others are made anew beside the
 * old ones, which finish what they have in hand; each new one begins when its predecessor has ended. [control] */

struct dispatcher_change;

/* Makes the instances. NULL: there are faults; nothing has changed. */
struct dispatcher_change *dispatcher_prepare(struct dispatcher *, struct generation *, struct faults *);
/* What else may go wrong. Not 0: err; abandon it. */
int dispatcher_open(struct dispatcher *, struct dispatcher_change *, struct err *err);
/* Frees the change. */
void dispatcher_commit(struct dispatcher *, struct dispatcher_change *, struct reload_counts *ret);
void dispatcher_abandon(struct dispatcher *, struct dispatcher_change *); /* NULL is fine */
/* Frees what has ended since. True: something is about to. */
bool dispatcher_tidy(struct dispatcher *);

/* Lets calls that are under way return, for ten seconds, settles what they decided, and takes everything down. What is
 * not settled then is still owed. Returns how many calls never came back: as long as they may, the plugins must stay.
 * NULL is fine. [control] */
size_t dispatcher_stop(struct dispatcher *);

struct dispatcher_stats { /* of one sink; counts since it was started */
	char sink[CONFIG_NAME_SIZE];
	struct journal_pos cursor;
	bool at_end;      /* nothing is left that it has not looked at */
	uint64_t done;    /* deliveries that succeeded */
	uint64_t retried; /* results that asked for another attempt */
	uint64_t parked;  /* deliveries that were put aside, to be retried by themselves */
	uint64_t dead, skipped;
	unsigned strays;          /* calls that were abandoned and have not returned */
	int64_t trouble_since_ms; /* wall clock; 0: it works */
	bool broken;              /* and a person must mend it */
	char reason[256];         /* the last failure, "" if there was none */
};

/* Of every sink; free() it. [any thread] */
struct dispatcher_stats *dispatcher_stats(struct dispatcher *, size_t *ret_n);

#endif
