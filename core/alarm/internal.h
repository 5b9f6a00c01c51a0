/* internal.h - what look.c, tell.c, memory.c and alarms.c share. */
#ifndef ALARM_INTERNAL_H
#define ALARM_INTERNAL_H

#include "alarm/alarms.h"
#include "alarm/sources.h"
#include "alarm/standing.h"

#include <pthread.h>

struct tally { /* of what repeats: how much was told so far */
	enum alarm_id id;
	const char *what;
	char about[CONFIG_NAME_SIZE];
	uint64_t told;
	int64_t told_ms; /* wall clock: when; 0: never */
	char *saved;     /* as the journal's notes have it; NULL: not at all */
};

struct alarms {
	struct alarm_parts parts;
	pthread_t thread;
	bool started;
	int64_t started_ns, looked_ns, saved_ns; /* steady clock; of the thread alone */

	pthread_mutex_t lock; /* guards what follows, which only the thread and [control] change */
	pthread_cond_t bell;
	bool stop;
	struct generation *generation; /* the configuration that counts */
	struct sources sources;
	struct standings standings;
	struct tally *tallies;
	size_t n_tallies;
	struct died {
		char sink[CONFIG_NAME_SIZE];
		uint64_t n; /* dead letters that it ever had */
	} * died;
	size_t n_died;
	struct names gone;
	struct streak details; /* that could not be fetched */
	struct enricher_stats enriched;
	char *refused; /* why the last reload was; NULL: it was not */
	int64_t refused_ms;
};

/* look.c: what stands right now. [lock] */
void alarms_look(const struct alarms *, int64_t now_ms, struct alarm_list *);
/* NULL: nothing was told yet. [lock] */
struct tally *alarms_tally(const struct alarms *, enum alarm_id, const char *what, const char *about);
struct tally *alarms_tally_add(struct alarms *, enum alarm_id, const char *what, const char *about);

/* tell.c. [the thread] */
void alarms_log(const struct standing *); /* what the last look changed about it. [lock] */
/* Of what repeats, settles how much is told; to be saved before it is, so that a process which ends in the middle of
 * it is followed by one that tells the same. True: there is something to save. */
bool alarms_begin_to_tell(struct alarms *, int64_t now_ms);
/* Waits for the journal. True: somebody was told. */
bool alarms_tell(struct alarms *, int64_t now_ms);

/* memory.c: notes in the journal. [the thread] */
int alarms_remember(struct alarms *, struct err *err); /* what earlier processes knew */
void alarms_save(struct alarms *);                     /* what has changed since */

#endif
