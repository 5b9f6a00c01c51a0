/* state.h - what became of deliveries: one SQLite database beside the segments. Each sink has a cursor and a
 * checkpoint; a batch that succeeded is one row; what is parked, dead or skipped has a row of its own.
 * Thread-safe. */
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

#include "journal/journal.h"

struct state;

enum state_use {
	STATE_OWN, /* the daemon's: creates it, or brings it up to date */
	STATE_READ,
	STATE_OPERATE, /* beside a daemon, also to write */
};

struct state *state_open(const char *path, enum state_use, struct err *err);
void state_close(struct state *);
/* Not 0: it is of a version that this program does not know. One that cannot be read at all is none of those. Changes
 * nothing. */
int state_known(const char *path, struct err *err);
int state_version_known(void);

/* The same as those of journal.h without `state_`, but: `end` is where a new sink begins. */
int state_sink_open(struct state *, const char *sink, struct journal_pos end, struct journal_sink *ret,
		    struct err *err);
int state_sink_trouble(struct state *, const char *sink, int64_t since_ms, int64_t not_before_ms, struct err *err);
int state_sinks_keep(struct state *, const char *const *sinks, size_t n, struct err *err);
int state_settle(struct state *, const char *sink, const struct journal_pos *cursor, const struct journal_settled *,
		 size_t n, const patchbay_str *checkpoint, struct err *err);
int state_settled_ahead(struct state *, const char *sink, struct journal_pos from, struct journal_pos **ret, size_t *n,
			struct err *err);
int state_subject_owed(struct state *, const char *sink, uint64_t subject, struct err *err);
int state_due(struct state *, const char *sink, int64_t now_ms, struct journal_parked *ret, size_t max,
	      int64_t *ret_next_ms, struct err *err);
int state_deliveries(struct state *, struct journal_pos at, const struct id *,
		     void (*each)(void *ctx, const struct journal_delivery_state *), void *ctx, struct err *err);
int state_attempts(struct state *, const struct id *, void (*each)(void *ctx, const struct journal_attempt *),
		   void *ctx, struct err *err);
int state_failing(struct state *, const char *sink, struct journal_failing *ret, struct err *err);
int state_dead(struct state *, const struct journal_dead_filter *, bool (*each)(void *ctx, const struct journal_dead *),
	       void *ctx, struct err *err);
int state_replay(struct state *, const char *sink, const struct journal_replay *, size_t n, int64_t now_ms,
		 patchbay_str why, struct err *err);
int state_sink_counts(struct state *, const char *sink, struct journal_sink_counts *ret, struct err *err);
int state_crashed_add(struct state *, const struct journal_crashed *, struct err *err);
int state_crashed(struct state *, bool (*each)(void *ctx, const struct journal_crashed *), void *ctx, struct err *err);
int state_notes_put(struct state *, const struct journal_note *, size_t n, struct err *err);
int state_notes(struct state *, void (*each)(void *ctx, const struct journal_note *), void *ctx, struct err *err);
int state_died(struct state *, void (*each)(void *ctx, const char *sink, uint64_t died), void *ctx, struct err *err);
int state_recovered_add(struct state *, const struct id *request, const struct id *event, int64_t at_ms,
			struct err *err);
int state_recovered(struct state *, const struct id *request, struct id *ret_event, int64_t *ret_at_ms,
		    struct err *err);

/* Which of a quiet ticket's records were the same when they were last polled, by number; for those that were something
 * else, that is forgotten. */
int state_polled_ask(struct state *, const struct buf *records, bool *ret, struct err *err);
/* Remembers what the records of a quiet ticket are, now that the log is durable up to `end`, and they with it. */
int state_polled_note(struct state *, const struct buf *records, struct journal_pos end, int64_t now_ms,
		      struct err *err);
/* Forgets what is not in the log after all, which was found to end here. */
int state_polled_cut(struct state *, struct journal_pos end, struct err *err);
#define STATE_POLLED_DAYS 100      /* what was not seen for so long is forgotten */
#define STATE_POLLED_EXACT_DAYS 10 /* to about so much it is known when something was seen */
int state_prune_polled(struct state *, int64_t now_ms, struct err *err);

/* ---- What stands in a database that may be damaged, or of an earlier version */

struct state_survey {
	int version;
	bool readable;      /* else `trouble` says why, and the rest may be incomplete */
	struct buf trouble; /* what SQLite's own check found, a line each; empty: nothing */
	struct state_survey_sink {
		char *name;
		struct journal_pos cursor;
		bool kept;
		uint64_t parked, dead, skipped;
		struct journal_pos oldest_parked; /* 0:0 = none */
	} * sinks;
	size_t n_sinks;
	struct state_survey_parked {
		size_t sink;
		struct journal_pos at;
		struct id id;
	} * parked;
	size_t n_parked;
	uint64_t batches, attempts, polled;
};
/* Reads only. deep: also SQLite's check of the whole file. Free it in any case. -1: it cannot be opened; err. */
int state_survey(const char *path, bool deep, struct state_survey *ret, struct err *err);
void state_survey_free(struct state_survey *);
struct journal_pos
state_survey_owed(const struct state_survey_sink *); /* the oldest that it owes, or has not come to */

/* Gives up what is parked but not there any more, as a dead letter of class "event". The database is nobody else's. */
int state_bury(const char *path, const char *sink, const struct journal_pos *v, size_t n, int64_t now_ms,
	       const char *why, struct err *err);

struct state_rescue {
	uint64_t sinks, batches, exceptions, attempts, others; /* rows that were saved */
	uint64_t unreadable;                                   /* tables of which some may be missing */
	bool sinks_whole, exceptions_whole;
};
/* Makes a new database at `to` (which is not there) of every row of the one at `from` that can be read. Sinks that only
 * other rows tell of, and the named ones, are added with a cursor at `start`: what is on record as delivered is passed
 * over from there, all else comes (again). -1: err. */
int state_rescue(const char *from, const char *to, const char *const *sinks, size_t n_sinks, struct journal_pos start,
		 struct state_rescue *ret, struct err *err);
/* A copy of it as it is at one moment, durable, made while others use it. */
int state_copy(const char *from, const char *to, struct err *err);

/* A number that changes when another process has changed something; 0: cannot be found out now. */
uint64_t state_changed(struct state *);

/* The furthest cursor of any sink; 0:0 without one. */
int state_newest(struct state *, struct journal_pos *ret, struct err *err);
/* The oldest position that is owed to a sink that is kept; `end` if nothing is. */
int state_oldest_owed(struct state *, struct journal_pos end, struct journal_pos *ret, struct err *err);
/* Forgets what became of events before this position. */
int state_prune(struct state *, struct journal_pos before, struct err *err);
/* Forgets which requests were admitted after all, and which a plugin crashed with, before that time. */
int state_prune_recovered(struct state *, int64_t before_ms, struct err *err);

#endif
