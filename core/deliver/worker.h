/* worker.h - inside the dispatcher: one sink. Its thread decides, and never calls the plugin; that is what the
 * lanes are for.
 *
 *   worker.c      life of the thread
 *   collect.c     takes in what lanes did, and replaces those whose call does not return
 *   wait.c        until there is something to do
 *   succession.c  takes the place of a predecessor, makes room for a successor
 *   give.c        hands a free lane something to do
 *   fill.c        what to act on next: due deliveries, or fresh events behind the cursor
 *   outcome.c     what the results of a call mean: done, parked, dead, or the destination is in trouble
 *   settle.c      what becomes durable: outcomes, and how far everything is settled
 *   breaker.c     that the destination does not work, and when it is tried again
 *   lane.c        a plugin's instance and the thread in which it is called
 *
 * RETRY is about an event: it is parked, with a row in the journal, and the others go on. DOWN and EBADSINK (and RETRY
 * for all of several events, or for five in a row) are about the destination: its events stay where they are,
 * behind the cursor, and after a while a single one probes whether it works again. */
#ifndef DELIVER_WORKER_H
#define DELIVER_WORKER_H

#include "base/call.h"
#include "base/log.h"
#include "base/seat.h"
#include "config/config.h"
#include "deliver/ahead.h"
#include "deliver/dispatcher.h"
#include "deliver/lane.h"
#include "deliver/pace.h"
#include "deliver/retry.h"
#include "deliver/router.h"
#include "journal/journal.h"

#include <pthread.h>
#include <stdatomic.h>

struct breaker {
	bool open;
	bool told;         /* that it is open is in the log */
	bool needs_person; /* EBADSINK, ECONFIG */
	bool limited;      /* it said when it takes more: no need to try with one event first */
	int64_t began_ms;  /* wall clock */
	uint32_t failures; /* since it opened */
	uint32_t in_row;   /* events that failed, each for itself, with no success in between */
	int64_t began_ns;  /* steady clock */
	int64_t failed_ns; /* steady clock: the last failure */
	int64_t next_ns;   /* steady clock: when to probe */
	int64_t bury_ns;   /* steady clock: when to look again for what is owed for too long */
};

struct tried { /* an event that was attempted and is still behind the cursor, or that made a call hang */
	struct journal_pos at;
	uint32_t attempts;
	uint32_t probes; /* that failed as the only event of a call */
	uint32_t hangs;
};
#define TRIED_MAX 128

struct settlement { /* what is to become durable in one step */
	struct journal_settled *v;
	size_t n, room;
};

struct routing { /* which events are the sink's; what a reload changes while all else goes on */
	struct generation *generation;
	struct router *router;
	const char *routes_name; /* "routes.yaml" */
};

struct worker {
	struct journal *journal;
	struct generation *generation; /* whose sink this is */
	const struct config_sink *sink;
	struct routing *routing;
	_Atomic(struct routing *) next_routing; /* NULL: none. Nothing is read by the old one once there is one */
	struct seat *seat;                      /* of all workers of this name */
	bool opened;                            /* cursor and the like are known */
	struct patchbay_call match;             /* of the router */
	struct journal_reader *reader;
	patchbay_str checkpoint; /* at start; malloc'ed */

	struct sink_abilities abilities;
	struct yard *yard;
	struct lane **lanes;
	size_t n_lanes; /* a lane is NULL while too many strays are about */

	struct journal_pos cursor; /* durable */
	struct journal_pos read;   /* looked at */
	struct journal_pos again;  /* with must_reread: from here, once no lane has fresh events */
	bool must_reread;
	struct ahead ahead;   /* settled, though behind the cursor */
	size_t unsettled;     /* records looked at since the cursor was moved */
	int64_t unsettled_ns; /* since when there are any; steady clock */

	bool has_parked;     /* perhaps */
	bool left_out;       /* the plugin could not make an instance, see instance_is_left_out() */
	bool blamed;         /* events with which the plugin crashed are known */
	bool fresh_blocked;  /* none of those can be started before a lane is done: */
	bool parked_blocked; /* what they wait for is out */
	bool parked_last;    /* so that due and fresh ones take turns */
	bool backlog;        /* the last batch was full: do not linger for the next */
	int64_t linger_ns;   /* steady clock: fill not before; 0: does not linger */
	int64_t next_due_ms; /* wall clock: the next parked delivery; INT64_MAX none */
	uint64_t operations; /* of journal_operations(), when it was last looked at */
	struct settlement settlement;
	struct arena settlement_texts;
	struct tried tried[TRIED_MAX];
	size_t n_tried;
	struct breaker breaker;
	int64_t trouble_ms, not_before_ms; /* as the journal has them, see journal_sink */
	struct pace pace;
	int64_t wall_base_ns; /* wall clock minus steady clock, at start */
	struct retry_random random;
	struct log_about about;
	struct log_limit bad_sink, down, buried, skipped, late, insists, unreadable, unsettleable, idle_failed, stuck,
		unmade;

	pthread_t thread;
	bool started;
	atomic_bool held;     /* it may not begin yet */
	atomic_bool stopping; /* finishes what it has in hand, and ends */
	atomic_bool for_good; /* and the process with it, so there is little time */
	bool ended;           /* the yard's lock */
	pthread_mutex_t lock; /* guards what follows */
	struct dispatcher_stats stats;
	struct journal_pos stats_read;
};

/* ---- worker.c */

/* Makes the instances. The seat is that of its predecessors. */
struct worker *worker_create(struct journal *, struct generation *, size_t sink_index, struct seat *, struct err *err);
int worker_start(struct worker *, struct err *err);      /* held */
bool worker_has_ended(struct worker *, int64_t wait_ms); /* waits that long for it */
size_t worker_destroy(struct worker *);                  /* joins; how many calls never came back; NULL is fine */
void worker_stats(struct worker *, struct dispatcher_stats *ret);

/* The wall clock, but never behind the time that has passed since the start: a clock that is set back
 * must not hold up what is due. */
int64_t worker_now_ms(const struct worker *);
struct lane *worker_free_lane(struct worker *);
bool worker_is_busy(struct worker *);       /* some lane is */
bool worker_has_fresh_out(struct worker *); /* in some lane */
/* For the log: the sink, and this event (or NULL), or that of the call if it is about one; good as long as that is. */
struct log_about worker_about(const struct worker *, const struct id *event);
struct log_about worker_about_call(const struct worker *, const struct lane *);
/* The note on an event at this position; `make`: a new one if there is none (the oldest is forgotten when there
 * are too many). */
struct tried *worker_tried(struct worker *, struct journal_pos at, bool make);

/* ---- collect.c */

/* 1: something was taken in. */
int collect(struct worker *);

/* ---- wait.c */

/* Until something can be given out that cannot now; or a lane or the journal tells before, or it is time to stop. */
void wait_for_work(struct worker *);
/* With the yard's lock held, for so long at most. False: it was time before anything changed. */
bool wait_for_change(struct worker *, int64_t ns);
bool wait_for_ms(struct worker *, int64_t ms); /* false: it is time to stop for good */

/* ---- succession.c */

struct routing *routing_create(struct generation *, size_t sink_index);
void routing_free(struct routing *);                                          /* NULL is fine */
void worker_reroute(struct worker *, struct generation *, size_t sink_index); /* [control] */
void succession_take_routing(struct worker *);                                /* if there is another */

/* What the journal knows about the sink. Whoever may have a predecessor does that itself, in its seat. */
int worker_open(struct worker *, struct err *err);
void worker_release(struct worker *); /* it may begin */
/* Waits for that, for its predecessor, and for the journal. False: it has no seat. It is time to stop, too, where it
 * could not be opened. */
bool succession_sit_down(struct worker *);

void worker_ask_to_leave(struct worker *); /* calls may take the time that they are allowed */
void worker_nudge(struct worker *);        /* now and then, until it has ended */
void worker_ask_to_stop(struct worker *);  /* ten seconds at most */

/* ---- give.c. 1: something was given to a lane, or at least looked at; 0: there is nothing to do now. */

int give_work(struct worker *);
int give_idle(struct worker *);

/* ---- fill.c: into the lane's batch. 1: there is something to act on; 0: there is not. */

int fill_fresh(struct worker *, struct lane *, size_t max);
int fill_parked(struct worker *, struct lane *, size_t max);

/* ---- outcome.c: a lane is done with a call, or will not come back. It is free again afterwards, or gone. */

void outcome_of_act(struct worker *, struct lane *);
void outcome_of_stray(struct worker *, struct lane *);

/* ---- settle.c */

struct journal_settled *settle_add(struct worker *); /* a new, zeroed one at the end of the list */
/* For the log: this event is one. */
void settle_tell_dead(struct worker *, const struct id *event, const char *class_, patchbay_str why);
/* Makes the list durable, and how far all is settled, and the checkpoint (or NULL), and tries again until that works:
 * what a sink did must be on record before it is asked for more. -1: it is time to stop, and the outcome is lost (the
 * events will be acted on again). */
int settle(struct worker *, const patchbay_str *checkpoint);
/* The list is about attempts only: when it cannot be recorded now, it is not. */
void settle_notes(struct worker *);
/* Progress over events that are none of this sink's. */
void settle_progress(struct worker *);
bool settle_progress_is_old(const struct worker *);

/* ---- breaker.c */

void breaker_note_reason(struct worker *, patchbay_str why);
/* An attempt, with this event (or NULL), failed because of the destination: not before after_ms again. */
void breaker_failed(struct worker *, bool needs_person, int64_t after_ms, const struct id *event, patchbay_str why);
/* One more call failed that was under way already when the first one did: only what it asks for counts. */
void breaker_defer(struct worker *, int64_t after_ms);
/* Events failed, or were refused, each for itself. Five in a row say something about the destination, too. */
void breaker_events_failed(struct worker *, uint32_t n, bool needs_person, const struct id *event, patchbay_str why);
void breaker_works(struct worker *);
/* What the destination asked for before a restart still holds. */
void breaker_restore(struct worker *);
/* The destination has not worked for so long that what it was owed before then is dead. */
bool breaker_is_hopeless(const struct worker *);

#endif
