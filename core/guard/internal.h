/* internal.h - what lies in the shared memory, and is read by the supervisor. Only one process writes at a time to what
 * is not atomic: a thread of the worker to its own slot, the supervisor to the rest while there is no worker. */
#ifndef GUARD_INTERNAL_H
#define GUARD_INTERNAL_H

#include "base/err.h"
#include "guard/guard.h"

#include <stdatomic.h>

#define GUARD_SLOTS 1024  /* threads that can be in a call at once; more go unnoticed */
#define GUARD_ENTRIES 256 /* events and requests that are remembered; the oldest is forgotten */
#define GUARD_INSTANCES 256
#define GUARD_RECENT 32

struct guard_slot {
	_Atomic int32_t tid;      /* whose it is; 0: nobody's */
	_Atomic uint32_t call;    /* enum guard_call */
	_Atomic uint32_t number;  /* of the call, so that one is not taken for the next */
	_Atomic int64_t fatal_ns; /* steady clock: then the process is beyond help; 0 never */
	uint32_t side, n, turn;   /* enum guard_turn */
	char plugin[GUARD_NAME_SIZE], instance[GUARD_NAME_SIZE];
	struct guard_event first, last;
	const patchbay_request *request;
	bool is_kept, own;
};

enum guard_turn { GUARD_NO_TURN, GUARD_HAS_TURN, GUARD_OUT_OF_TURN };

struct guard_crash {              /* the first thread that crashed */
	_Atomic int32_t tid;      /* 0: none yet */
	_Atomic int64_t fatal_ns; /* steady clock: then it must have ended */
	int32_t slot;             /* -1: it was in no call */
	int32_t signal;           /* 0: exit() was called */
	int32_t status;           /* of that exit() */
	uint32_t has_address;     /* not bool: whatever stands there can be read */
	uint64_t address;
	char where[128];              /* "acme.so+0x1139"; "" unknown */
	char plugin[GUARD_NAME_SIZE]; /* whose code that is */
	uint32_t has_request;
	uint32_t closed; /* descriptors that are not the plugin's */
};

struct guard_entry { /* what a call that crashed was about */
	_Atomic bool used;
	uint32_t side, call, count, n;
	char plugin[GUARD_NAME_SIZE], instance[GUARD_NAME_SIZE];
	struct guard_event first, last; /* the same, unless n > 1 */
	uint64_t request[2];            /* VERIFY, PARSE: of the request; else zero */
	uint64_t age;
	char what[GUARD_WHAT_SIZE];
};

struct guard_instance {
	_Atomic bool used;
	uint32_t side;
	char plugin[GUARD_NAME_SIZE], instance[GUARD_NAME_SIZE];
	_Atomic uint64_t crashes, own;
	_Atomic bool suspect;       /* its calls are made one at a time, see guard_is_suspect() */
	_Atomic uint32_t in_row[2]; /* since a call was last seen to work: of those about no event, and of others */
	uint32_t parks;             /* how often it was parked since then */
	int64_t recent_ns[GUARD_RECENT]; /* steady clock: the last crashes, a ring */
	uint32_t next_recent;
	int64_t quiet_ns[GUARD_CRASHES_MAX - 1]; /* the last ones in calls about no event, oldest first */
	_Atomic int64_t parked_ns; /* steady clock: until then; INT64_MAX: until it is forgiven; 0: it is not */
	char why[200];
};

struct guard_life {
	struct {
		_Atomic int64_t since_ns; /* steady clock: of the last sign; 0: it waits for work */
		_Atomic int32_t tid;
	} vital[GUARD_VITALS];
	_Atomic uint64_t waiting, sources, sinks, routes;
	_Atomic uint32_t reloads_begun, reloads_ended;
	_Atomic bool reload_refused; /* the last one */
};

struct guard_board {
	struct guard_slot slots[GUARD_SLOTS];
	struct guard_crash crash;
	struct guard_entry entries[GUARD_ENTRIES];
	struct guard_instance instances[GUARD_INSTANCES];
	_Atomic uint32_t n_entries; /* in use; 0: nothing has crashed */
	_Atomic uint32_t suspects;  /* not zero: some instance may be one */
	uint64_t ages;
	_Atomic uint64_t restarts;
	_Atomic bool ready;
	_Atomic bool ending; /* the worker means to end */
	struct guard_life life;
};

extern struct guard_board *guard_board; /* NULL: there is no guard */

/* ---- For the supervisor */

int guard_open(struct err *err);
/* Who it was, and with what. */
struct guard_obituary {
	char sentence[640]; /* "sink audit (plugin acme) crashed the worker: when it acted on event ...: SIGSEGV ..." */
	enum guard_side side;
	char plugin[GUARD_NAME_SIZE], instance[GUARD_NAME_SIZE]; /* "" unless it was a plugin's fault */
	bool has_event;
	struct id event; /* the only one of the call */
};
/* The worker is gone: who was it? Notes it in the ledger, and clears the board. False: it was no plugin's fault; the
 * sentence says what is known. `hung`: it was ended because this slot's call did not return; -1 none. */
bool guard_bury(int status, int hung, struct guard_obituary *ret);
/* A slot whose call is beyond help; -1 none. */
int guard_hung(int64_t now_ns);
/* It crashed, and then got stuck while it wrote things down. */
bool guard_is_stuck(int64_t now_ns);

/* ledger.c */
/* Notes a crash; the entry, or NULL where it is about neither an event nor a request. */
const struct guard_entry *guard_note_crash(const struct guard_slot *, const uint64_t request[2], const char *what);

/* The worker ended, nobody knows why, and several calls were under way: from now on those of these instances are made
 * one at a time, until one of each has returned. */
void guard_suspect(const struct guard_slot *);
bool guard_is_suspect(enum guard_side, const char *instance);
void guard_trust(enum guard_side, const char *instance);

/* request.c */
void guard_request_open(void);
bool guard_request_write(const patchbay_request *); /* async-signal-safe */
/* Its fingerprint; false: there is none. */
bool guard_request_peek(enum guard_call, uint64_t ret[2]);
void guard_request_clear(void);
void guard_request_label(const struct guard_slot *, const char *what, uint32_t count); /* for guard_take_request() */
void guard_fingerprint(const patchbay_request *, enum guard_call, uint64_t ret[2]);

/* keep.c */
/* Returns a descriptor to poll, for guard_keep_take(). `changed` (may be NULL) is told of what is kept from now on,
 * and, with fd -1, of what is forgotten. */
int guard_keep_open(void (*changed)(void *ctx, const char *name, int fd), void *ctx, struct err *err);
void guard_keep_take(void);
/* Before the first worker: the service manager has it, too. Takes the descriptor. */
void guard_keep_inherited(const char *name, int fd, enum guard_holder);
void guard_wake(void);         /* the supervisor, to look at the board: from the worker */
bool guard_keep_is_lost(void); /* some plugin has closed every descriptor that there is */
void guard_keep_worker(void);  /* the supervisor's end is not the worker's */

/* life.c */
void guard_life_begins(void); /* before each worker */
/* Since when, on the steady clock, this thread has given no sign though it has work; 0: it is well. */
int64_t guard_silent_since(enum guard_vital);

/* crash.c */
bool guard_is_deadly(int signal); /* what a process does to itself */
/* A stack for the handler. */
void guard_thread_begins(void);
void guard_thread_ends(void);

/* board.c */
void guard_copy_text(char *out, size_t size, const char *text); /* as much as fits; NULL is "" */
struct guard_slot *guard_own_slot(void);                        /* of the calling thread, or NULL; async-signal-safe */

#endif
