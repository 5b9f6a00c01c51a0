/* alarms.h - what a person should know: looked for in all parts of the daemon, by a thread of its own, and told in four
 * ways from one list: a line in the log, /health, /metrics, and as an event of the source `patchbay`, which routes
 * bring to sinks like any other.
 *
 *   alarm.c     which alarms there are
 *   look.c      what stands right now, in the parts
 *   sources.c   what is heard of sources; rhythm.c: how often
 *   standing.c  what is new since the last look, what is over, who was told
 *   tell.c      tells the log and sinks; event.c: an alarm as an event
 *   memory.c    what the next process has to know, so that nobody is told twice: notes in the journal
 *   alarms.c    life, the thread, who asks
 *
 * No alarm can cause itself: events of Patchbay's own that end as dead letters, or that a plugin crashes with, are not
 * counted; one about a sink that does not work is owed to that sink like all else. */
#ifndef ALARM_ALARMS_H
#define ALARM_ALARMS_H

#include "alarm/alarm.h"
#include "base/err.h"
#include "base/str.h"
#include "deliver/dispatcher.h"
#include "fetch/enricher.h"
#include "fetch/poller.h"
#include "http/intake.h"
#include "journal/journal.h"
#include "source/live.h"

struct alarms;

struct alarm_parts { /* where it looks; all must outlive it */
	const struct intake *intake;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct poller *poller;
	struct enricher *enricher;
};

/* NULL: err. [control] */
struct alarms *alarms_start(const struct alarm_parts *, const struct live_set *, struct err *err);
void alarms_stop(struct alarms *); /* NULL is fine */

/* There was a reload. refused: why it changed nothing; NULL: from now on these are the sources, and their configuration
 * is the one that counts. The set must stay only until this returns. [control] */
void alarms_reloaded(struct alarms *, const struct live_set *, const char *refused);

/* One line for each thing that stands, also if it is too young to be raised. False: one of them is an error. [any
 * thread] */
bool alarms_health(struct alarms *, struct buf *);
/* Those that are raised, in the Prometheus text format. [any thread] */
void alarms_metrics(struct alarms *, struct buf *);

/* Journals an event of this type, with an example for data, so that a person sees whether it arrives. -1: err. [any
 * thread that may block] */
int alarms_try(struct alarms *, enum alarm_id, struct id *ret, struct err *err);

#endif
