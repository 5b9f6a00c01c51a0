/* internal.h - the parts of the embedded journal; for the files of this folder only. */
#ifndef JOURNAL_INTERNAL_H
#define JOURNAL_INTERNAL_H

#include "base/log.h"
#include "journal/cursors.h"
#include "journal/dedupe.h"
#include "journal/seglog.h"
#include "journal/state.h"
#include "journal/unanswered.h"

#include <pthread.h>
#include <stdatomic.h>

struct journal {
	struct journal_options options;
	struct { /* as journal_limit() was told last */
		_Atomic int64_t age_ms, bytes, quarantine_bytes, dedupe_ms;
	} limits;
	char *path;
	bool writable;
	int lock_fd;
	struct seglog *events, *quarantine;
	struct state *state;

	struct { /* tickets that wait for the committer */
		pthread_mutex_t lock;
		pthread_cond_t filled;
		struct journal_ticket *first, **last; /* lock */
		size_t bytes;                         /* lock */
		bool idle;                            /* lock: the committer sleeps */
		bool stop;                            /* lock */
	} queue;

	struct { /* who waits for new events */
		pthread_mutex_t lock;
		pthread_cond_t moved;
		unsigned waiting; /* lock */
		uint64_t wakes;   /* lock */
	} tail;

	struct { /* why appends are refused */
		pthread_mutex_t lock;
		struct err why; /* lock */
		atomic_bool is;
		bool told, untold;      /* the committer's: that it is in the log, and that this reason is not yet */
		struct log_limit limit; /* the committer's */
	} trouble;

	atomic_bool over_limit; /* set by the housekeeper: nothing may be pruned, and there is no room */

	_Atomic uint64_t operations; /* what other processes have done to the state, counted by the housekeeper */
	uint64_t state_seen;         /* the housekeeper's: state_changed() when it last looked */

	struct { /* as the housekeeper saw it last */
		_Atomic uint64_t owed_bytes, disk_free, disk_bytes;
	} room;

	struct { /* the housekeeper's bell */
		pthread_mutex_t lock;
		pthread_cond_t rung;
		atomic_bool stop; /* set under lock, so that the wait sees it */
	} house;

	pthread_t committer, housekeeper;
	bool committer_runs, housekeeper_runs;

	/* the committer's own */
	struct dedupe *dedupe;
	struct unanswered *unanswered;
	struct heads *heads;
	struct cursors *cursors;
	/* The newest segment that holds all cursors, and must stay; UINT64_MAX: there are none. Set by the committer.
	 */
	_Atomic uint64_t cursors_in;
	int64_t retry_at_ns; /* steady clock: after a failure, not before */

	struct {
		_Atomic uint64_t appended, duplicates, malformed, refused, replayed, unavailable, commits, dedupe_keys;
	} stats;
};

/* A position of the embedded journal in 64 bits; 0 is none. */
static inline uint64_t pos_pack(struct journal_pos p)
{
	return p.hi << 32 | p.lo;
}
static inline struct journal_pos pos_unpack(uint64_t at)
{
	return (struct journal_pos){ at >> 32, at & UINT32_MAX };
}

/* append.c */
void waiter_wake(void *waiter); /* of a ticket that is decided; the ticket is the waiting thread's then */

/* commit.c */
void *committer_main(void *journal);

/* decide.c: remembers a record that is durable; while opening, in order */
void decide_again(struct journal *, uint64_t segment, const struct index_entry *);

/* heads.c: heads of records by position, for verifying fingerprints */
struct heads *heads_create(struct seglog *);
void heads_destroy(struct heads *);
/* 1; 0: it is not there (any more); -1: cannot tell now. */
int heads_at(struct heads *, uint64_t at, struct index_entry *ret, struct err *err);

/* prune.c: journal_prune(), of what is indexed already */
int prune(struct journal *, const struct journal_prune_order *, struct journal_pruned *ret, struct err *err);
/* Nothing in it is owed, when that is the oldest owed position. */
bool prune_is_settled(const struct seglog_segment *, struct journal_pos owed);

/* import.c: what an import that was cut off has left is owed to no sink either. While opening. */
int import_finish(struct journal *, struct err *err);

/* house.c */
void *housekeeper_main(void *journal);

#endif
