/* journal.h - the durable store of events and deliveries: what every engine offers. The first engine is
 * embedded (a folder); the shape fits a distributed one:
 *  - event ids are the router's; positions belong to the engine, are opaque, and only ordered;
 *  - append is asynchronous; tickets come back in groups, from a thread of the engine;
 *  - the state of a sink is a cursor plus exceptions (parked, dead), settled in one durable step. */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

#include <patchbay/plugin.h>

struct journal;

struct journal_pos {
	uint64_t hi, lo;
};

enum journal_kind {
	JOURNAL_EVENT = 1,     /* accepted; to be routed */
	JOURNAL_DUPLICATE = 2, /* a provider's repeat of `original`; only its envelope is kept */
	JOURNAL_MALFORMED = 3, /* quarantined: authentic, but not understood */
	JOURNAL_REFUSED = 4,   /* quarantined: not authentic, or a replay */
	JOURNAL_ANSWER = 5,    /* about the answer for the event `original`, see journal_answer */
	JOURNAL_CURSOR = 6,    /* how far a source has been polled: `source`, and the cursor in `data` */
};
enum {
	JOURNAL_FLAG_TEST = 1,
	JOURNAL_FLAG_TYPE_GUESS = 2,
	JOURNAL_FLAG_ANSWER_FAILED = 4,
	JOURNAL_FLAG_HELD = 8,      /* an event that is not routed itself: its details come first, and then */
	JOURNAL_FLAG_RELEASED = 16, /* the same event once more, same id, to be routed: details in `request`,
				     * or in `note` why there are none */
	JOURNAL_FLAG_LATE = 32,     /* received long before what stands beside it: verified again, or released. Who
				     * walks through the journal by time draws no conclusion from it */
};

struct journal_record {
	struct id id;
	struct id original; /* JOURNAL_DUPLICATE, JOURNAL_ANSWER */
	uint8_t kind;       /* enum journal_kind */
	uint8_t dedupe;     /* PATCHBAY_DEDUPE_* */
	uint8_t flags;      /* JOURNAL_FLAG_* */
	int64_t received_ns;
	int64_t time_ns; /* 0: unknown */
	patchbay_str source, plugin, type, kind_name, subject;
	patchbay_str key, token; /* for dedupe; token empty = none */
	patchbay_str client;     /* address that posted it */
	patchbay_str note;       /* how it was verified, or why it is quarantined */
	patchbay_str request;    /* quarantine: request line and headers, for verifying it again */
	patchbay_str data;
};

/* ---- Opening ------------------------------------------------------------------------------------ */

struct journal_ticket;

struct journal_options {
	const char *path;
	int64_t retention_age_ms, retention_bytes, quarantine_bytes;
	int64_t dedupe_window_ms; /* at least the longest retry horizon of any source */
	uint64_t segment_bytes;   /* 0: default */
	/* Called by a thread of the engine with a list (by ->next) of tickets that are decided. May be NULL
	 * when nothing is appended. */
	void (*decided)(void *ctx, struct journal_ticket *list);
	void *ctx;
};

/* Opens, or creates, and recovers; says in the log what it found torn or damaged. One process at a time. */
struct journal *journal_open(const struct journal_options *, struct err *err);
/* From now on retention and dedupe window are those of these options; nothing else of them counts. The window never
 * gets shorter. [control] */
void journal_limit(struct journal *, const struct journal_options *);
/* For reading beside a running daemon: no lock, no repair, no append, no settle. */
struct journal *journal_open_reader(const char *path, struct err *err);
/* The same, for an operator who may also replay deliveries: a running daemon notices within a second. */
struct journal *journal_open_operator(const char *path, struct err *err);
/* A reader's or operator's: sees what has come and gone since, at little cost; its journal_readers stay good. -1: err;
 * open it anew. */
int journal_refresh(struct journal *, struct err *err);
void journal_close(struct journal *); /* commits what is queued; NULL is fine */

/* ---- Appending ------------------------------------------------------------------------------------- */

enum journal_outcome {
	JOURNAL_FRESH = 1,       /* durable */
	JOURNAL_DUP = 2,         /* a repeat of ->original, which is durable */
	JOURNAL_REPLAYED = 3,    /* its token came before, with another key; quarantined, no event was stored */
	JOURNAL_UNAVAILABLE = 4, /* not durable, not acknowledged; journal_trouble() says why */
};

struct journal_ticket { /* everything that one request brought; the caller's until given to journal_append() */
	struct journal_ticket *next;
	struct buf records; /* from journal_encode(), any number */
	uint32_t n;
	uint32_t horizon_s; /* the provider's retry horizon, for PATCHBAY_DEDUPE_UNANSWERED */
	uint32_t late_ms;   /* an answer later than this after received_ns did not count for the provider */
	/* results, for the whole and for the first record */
	enum journal_outcome outcome; /* the worst of all records: UNAVAILABLE, REPLAYED, FRESH, then DUP */
	struct id id;                 /* of the first record's event: new, or the original's */
	bool internal;                /* the engine's own: never seen by decided() */
	void *waiter;                 /* the same: journal_append_wait() */
	bool quiet; /* What is polled, and so comes again and again: repeats of known events leave no record, and with
		     * journal_append_wait() events of PATCHBAY_DEDUPE_KEY and _LATEST are known as long as they are
		     * polled (->id of one that is known only so is zero). */
	const bool *known; /* the engine's own: which records are, by number */
	bool as_is;        /* the engine's own: an import. Nothing is a repeat, whatever came before */
	bool unanswered;   /* brought or repeated an event of PATCHBAY_DEDUPE_UNANSWERED: call journal_answer() */
};

void journal_encode(struct buf *, const struct journal_record *);
/* Takes the tickets (a list by ->next) until they come back through decided(). False: none was taken (too much is
 * queued, or the journal is in trouble): answer 503. [any thread] */
bool journal_append(struct journal *, struct journal_ticket *);

/* Appends one ticket and waits until it is decided. 0: see its outcome (FRESH or DUP). -1: nothing was stored, err says
 * why. [any thread that may block] */
int journal_append_wait(struct journal *, struct journal_ticket *, struct err *err);

/* Adds to a ticket how far a source has been polled; durable in one commit with the ticket's events, behind them. */
void journal_encode_cursor(struct journal_ticket *, const char *source, patchbay_str cursor);
/* The last one that became durable; empty: none. The caller frees the buffer. [any thread] */
void journal_source_cursor(struct journal *, const char *source, struct buf *ret);

/* For tickets with `unanswered`: journal_answering() records durably that the answer goes out now (the
 * ticket comes back through decided() once more), before anything is sent; journal_answer_failed() that
 * it did not reach the provider in time after all. An event with neither note, or with the latter, is
 * known to be unanswered: the same bytes again are its retry. [any thread] */
bool journal_answering(struct journal *, struct journal_ticket *);
void journal_answer_failed(struct journal *, const struct journal_ticket *); /* after journal_answering() */

/* Why appends are refused right now; false: they are not. [any thread] */
bool journal_trouble(struct journal *, struct err *why);

/* ---- Reading ----------------------------------------------------------------------------------------- */

struct journal_reader; /* one thread at a time */

struct journal_reader *journal_reader_open(struct journal *);
void journal_reader_close(struct journal_reader *);
struct journal_pos journal_end(struct journal *);   /* behind the last durable record */
struct journal_pos journal_start(struct journal *); /* the oldest that is kept */
int journal_pos_cmp(struct journal_pos, struct journal_pos);

/* The first record at or behind *pos; moves *pos behind it, and sets *ret_at (may be NULL) to where it stood.
 * The record is the reader's until its next call. 1: there; 0: none yet; -1: err (that part cannot be read; *pos is
 * moved behind it). */
int journal_read(struct journal_reader *, struct journal_pos *pos, struct journal_record *ret,
		 struct journal_pos *ret_at, struct err *err);
/* Same, for the exact position of one record. */
int journal_read_at(struct journal_reader *, struct journal_pos at, struct journal_record *ret, struct err *err);
/* Newest first: the record before *pos. 1, 0 (none), -1. */
int journal_read_before(struct journal_reader *, struct journal_pos *pos, struct journal_record *ret, struct err *err);
/* The record of that id: the first one, as it came in (not an answer's, not a released one). 1, 0, -1. */
int journal_find(struct journal_reader *, const struct id *, struct journal_record *ret, struct journal_pos *ret_at,
		 struct err *err);
/* The released record of an event that was held. 1, 0 (not yet), -1. */
int journal_find_released(struct journal_reader *, const struct id *, struct journal_record *ret,
			  struct journal_pos *ret_at, struct err *err);
/* Which of these dedupe keys of a source belong to an event that the journal still has, or still knows a repeat of,
 * however old. */
struct journal_key {
	patchbay_str source, key;
	uint8_t dedupe; /* PATCHBAY_DEDUPE_KEY or _LATEST, the class that the key belongs to; _NONE: there is none, the
			 * event with this id is meant */
	patchbay_str data; /* LATEST: only an event with just these bytes counts, */
	int64_t since_ns;  /* and only if it was received then or later; 0 = whenever */
	bool known;        /* results */
	struct id id;      /* known: of that event; _NONE: given */
};
int journal_keys_known(struct journal_reader *, struct journal_key *, size_t n, struct err *err);
/* Quarantined requests that could not be verified, newest first, *cursor zeroed at first. 1, 0, -1. */
int journal_read_refused(struct journal_reader *, struct journal_pos *cursor, struct journal_record *ret,
			 struct err *err);

/* Quarantined requests that could not be verified, oldest first: as journal_read(). */
int journal_read_quarantine(struct journal_reader *, struct journal_pos *pos, struct journal_record *ret,
			    struct err *err);

/* Waits until there is something behind pos, or journal_wake(), or timeout_ms have passed. */
void journal_wait(struct journal *, struct journal_pos pos, int64_t timeout_ms);
void journal_wake(struct journal *);

/* ---- Deliveries ------------------------------------------------------------------------------------- */

struct journal_sink {              /* what is durable about a sink */
	struct journal_pos cursor; /* everything before it is settled or parked */
	patchbay_str checkpoint;   /* malloc'ed: free(checkpoint.p) */
	int64_t trouble_ms;        /* wall clock: since when its destination does not work; 0: it does */
	int64_t not_before_ms;     /* wall clock: it asked not to be called before; 0: it did not */
	bool fresh;                /* was not known until now: starts at the end of the journal */
};
/* The name under which the host itself settles events that are held until their details are there; no user can call a
 * sink so. It belongs to those that are kept, and is not shown to people. */
#define JOURNAL_SINK_ENRICH "enrich:"
/* [control] */
int journal_sink_open(struct journal *, const char *sink, struct journal_sink *ret, struct err *err);
/* Remembers both, across restarts. */
int journal_sink_trouble(struct journal *, const char *sink, int64_t since_ms, int64_t not_before_ms, struct err *err);
/* Which sinks the retention must wait for. What is known of others stays, but holds nothing up. [control] */
int journal_sinks_keep(struct journal *, const char *const *sinks, size_t n, struct err *err);

enum journal_act {
	JOURNAL_DONE = 1,
	JOURNAL_PARK = 2,
	JOURNAL_DEAD = 3,
	JOURNAL_SKIP = 4,
	JOURNAL_NOTE = 5, /* an attempt that failed because of the destination: recorded, and nothing else changes */
};
/* due_ms: not before the earlier deliveries of its subject are settled; then, in the same step, it becomes due (at
 * once, if none is parked any more): call journal_due() again after settling either. It has attempt 0, unless it was
 * attempted before. */
#define JOURNAL_WAITS INT64_MAX

struct journal_settled {
	struct journal_pos at;
	struct id id;
	enum journal_act act;
	bool was_parked;  /* comes from journal_due() */
	uint32_t attempt; /* number of the attempt that led here; 0 for SKIP */
	int64_t due_ms;   /* PARK: wall clock, not before; or JOURNAL_WAITS */
	uint64_t subject; /* PARK under `order: subject`: hash of the subject; 0 = none */
	int64_t at_ms;    /* when the attempt was made, wall clock */
	int64_t took_ms;
	const char *class_; /* DEAD: "event", "destination", "configuration", "plugin", "gave up"; static text */
	patchbay_str why;   /* the reason; DONE: what the sink has to say about it, mostly nothing */
};
/* One durable step: cursor (NULL = stays), exceptions, outcomes and checkpoint (NULL = stays). Thread-safe,
 * one caller per sink. A DONE item that was never parked, and of which nothing is said, costs no row of its own. */
int journal_settle(struct journal *, const char *sink, const struct journal_pos *cursor, const struct journal_settled *,
		   size_t n, const patchbay_str *checkpoint, struct err *err);

/* Deliveries are settled in any order: which positions at or behind `from` are. Ascending; free(*ret). A settled
 * delivery that waits for another of its subject is released in the same step as that one. [control] */
int journal_settled_ahead(struct journal *, const char *sink, struct journal_pos from, struct journal_pos **ret,
			  size_t *n, struct err *err);
/* Is an earlier delivery of this subject parked? 1, 0, -1. */
int journal_subject_owed(struct journal *, const char *sink, uint64_t subject, struct err *err);

struct journal_parked {
	struct journal_pos at;
	struct id id;
	uint32_t attempts; /* made so far */
	uint64_t subject;
	int64_t first_ms; /* wall clock of the first attempt, or of the last replay */
	int64_t due_ms;
};
/* Parked deliveries of a sink that are due, oldest due first. Returns how many, -1 err. *ret_next_ms: when the next
 * one (that was not returned) is due, INT64_MAX for none. */
int journal_due(struct journal *, const char *sink, int64_t now_ms, struct journal_parked *ret, size_t max,
		int64_t *ret_next_ms, struct err *err);

enum journal_state {
	JOURNAL_STATE_OWED,
	JOURNAL_STATE_PARKED,
	JOURNAL_STATE_DONE,
	JOURNAL_STATE_DEAD,
	JOURNAL_STATE_SKIPPED,
	JOURNAL_STATE_NOT_ROUTED
};
struct journal_delivery_state {
	const char *sink;
	enum journal_state state;
	uint32_t attempts;  /* 0: not known (done at the first attempt) */
	int64_t at_ms;      /* of the last step; 0 for OWED, NOT_ROUTED */
	int64_t due_ms;     /* PARKED */
	const char *class_; /* DEAD */
	const char *why;    /* last reason, or "" */
};
/* Calls back once per sink that the journal knows. OWED here means: the cursor has not reached it yet
 * (whether a route leads there, the router knows). */
int journal_deliveries(struct journal *, struct journal_pos at, const struct id *,
		       void (*each)(void *ctx, const struct journal_delivery_state *), void *ctx, struct err *err);

struct journal_attempt {
	const char *sink;
	uint32_t number;
	int64_t at_ms, took_ms;
	const char *result; /* "done", "retry", "dead", "skipped", "failed" (NOTE), "replayed" */
	const char *why;
};
/* The recorded attempts (all but a first that succeeded), oldest first. */
int journal_attempts(struct journal *, const struct id *, void (*each)(void *ctx, const struct journal_attempt *),
		     void *ctx, struct err *err);

struct journal_failing {
	struct id id; /* the delivery that was tried last */
	int64_t at_ms;
	char *why; /* malloc'ed */
};
/* Does all that this sink owes wait because its destination failed, and nothing has worked since? 1, 0, -1. */
int journal_failing(struct journal *, const char *sink, struct journal_failing *ret, struct err *err);

/* ---- Dead letters, and what an operator does about them --------------------------------------------------- */

struct journal_dead {
	const char *sink;
	struct journal_pos at;
	struct id id;
	enum journal_state state; /* DEAD or SKIPPED */
	const char *class_;       /* of DEAD; "" */
	const char *why;
	uint32_t attempts;
	int64_t first_ms, at_ms;
};
struct journal_dead_filter { /* zero: everything */
	const char *sink, *class_;
	int64_t from_ms, to_ms; /* when it died; to_ms 0 = now */
	bool skipped;           /* those skipped, instead of the dead ones */
};
/* Oldest death first. Stops when `each` returns false. */
int journal_dead(struct journal *, const struct journal_dead_filter *,
		 bool (*each)(void *ctx, const struct journal_dead *), void *ctx, struct err *err);

struct journal_replay {
	struct journal_pos at;
	struct id id;
	int64_t due_ms; /* wall clock */
};
/* Parks these deliveries of a sink, whatever they were: they are owed again, `why` is in their history, and give_up
 * counts from now. Those already parked become due; those that the sink has not come to are left alone. One durable
 * step, so not more than a thousand or so: a running daemon has to wait for it. On a journal that is open, or
 * journal_open_operator()'s. */
int journal_replay(struct journal *, const char *sink, const struct journal_replay *, size_t n, int64_t now_ms,
		   patchbay_str why, struct err *err);
/* A number that changes when somebody else has replayed; waiting threads are woken. [any thread] */
uint64_t journal_operations(struct journal *);

struct journal_sink_counts {
	uint64_t parked, dead, skipped;
};
int journal_sink_counts(struct journal *, const char *sink, struct journal_sink_counts *ret, struct err *err);

/* Quarantined requests that a plugin crashed with, and so were never accepted. */
struct journal_crashed {
	struct id id; /* of the record in quarantine */
	const char *source, *plugin;
	int64_t at_ms;
	uint32_t count; /* how often, so far */
	const char *why;
};
int journal_crashed_add(struct journal *, const struct journal_crashed *, struct err *err);
/* Oldest first, without those that were admitted after all. Stops when `each` returns false. */
int journal_crashed(struct journal *, bool (*each)(void *ctx, const struct journal_crashed *), void *ctx,
		    struct err *err);

/* Which quarantined request was admitted after all, as which event. */
int journal_recovered_add(struct journal *, const struct id *request, const struct id *event, int64_t at_ms,
			  struct err *err);
/* 1: it was; 0; -1. */
int journal_recovered(struct journal *, const struct id *request, struct id *ret_event, int64_t *ret_at_ms,
		      struct err *err);

/* How many dead letters each sink ever had, those of Patchbay's own events (id_is_own()) not counted. */
int journal_died(struct journal *, void (*each)(void *ctx, const char *sink, uint64_t died), void *ctx,
		 struct err *err);

/* ---- Notes: small things that parts of the daemon remember across restarts ----------------------------------- */

struct journal_note {
	const char *name;
	patchbay_str value; /* text; empty: to be forgotten */
};
/* One durable step. [any thread] */
int journal_notes_put(struct journal *, const struct journal_note *, size_t n, struct err *err);
int journal_notes(struct journal *, void (*each)(void *ctx, const struct journal_note *), void *ctx, struct err *err);

/* ---- Housekeeping ------------------------------------------------------------------------------------- */

struct journal_prune_order {
	int64_t older_than_ms;  /* wall clock: segments whose newest record is older go; INT64_MIN: that is no reason */
	uint64_t down_to_bytes; /* oldest first until there are no more; UINT64_MAX: that is no reason */
	bool quarantine;        /* of what is quarantined, instead of the events */
	bool dry_run;
};
struct journal_pruned {
	uint64_t segments, bytes;
	uint64_t left_bytes;
	bool held; /* more would have gone, but something in it is still owed */
};
/* Gives up finished segments, oldest first; never one in which anything is owed, never the newest. [any thread] */
int journal_prune(struct journal *, const struct journal_prune_order *, struct journal_pruned *ret, struct err *err);

struct journal_stats {
	uint64_t appended, duplicates, malformed, refused, replayed, unavailable; /* since the start */
	uint64_t commits, bytes, quarantine_bytes;
	uint64_t dedupe_keys;
	uint64_t owed_bytes, limit_bytes; /* what cannot be pruned, and how much there may be */
	uint64_t disk_free, disk_bytes;   /* of its file system; 0, 0: not known (yet) */
};
void journal_stats(struct journal *, struct journal_stats *);

#endif
