/* guard.h - what each thread is calling in which plugin, noted where it outlives the process: in memory that is shared
 * with the supervisor (daemon/supervisor.h). When the process ends in the middle of a call, or has to be ended because
 * a call does not, the next one knows whose fault it was, does not take the third step into the same hole, and goes on.
 *
 *   board.c    the shared memory, and the notes of the threads
 *   crash.c    what a thread does when it crashes: says where, and keeps the request it was at
 *   request.c  that request, from the one process to the next
 *   ledger.c   which event, request or instance has crashed how often; what is parked for that
 *   keep.c     descriptors that outlive the process: sockets that are listened on
 *   life.c     signs of life, and what the service manager is told of the worker
 *
 * Without guard_open() (in commands, in unit tests) everything here does nothing, and finds nothing. */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "base/id.h"

#include <patchbay/plugin.h>

#include <sys/types.h>

#define GUARD_NAME_SIZE 64  /* bytes of a name, */
#define GUARD_WHAT_SIZE 200 /* of what happened in a call, */
#define GUARD_WHY_SIZE 256  /* and of why an instance is left alone; all with the NUL */

enum guard_call {
	GUARD_NOTHING,
	GUARD_CHECK,
	GUARD_CREATE,
	GUARD_DESTROY,
	GUARD_VERIFY,
	GUARD_PARSE,
	GUARD_POLL,
	GUARD_ENRICH,
	GUARD_ROUTE, /* a `when` of routes.yaml; the instance is the sink */
	GUARD_RESUME,
	GUARD_ACT,
	GUARD_IDLE,
	GUARD_LOAD,   /* of the file; plugin and instance are its name */
	GUARD_THREAD, /* in no call: a thread that the plugin has begun */
};

enum guard_side {
	GUARD_SOURCE,
	GUARD_SINK,
	GUARD_POLLING, /* of a source: an instance of its own, and no reason to refuse posts */
	GUARD_DETAILS, /* the same */
	GUARD_PLUGIN,  /* all that is made of it, or the file */
};

struct guard_event { /* an event as the journal knows it: where it stands, and its id */
	uint64_t pos[2];
	struct id id;
};

struct guard_note { /* one call. Everything is copied but `request`, which must stay until guard_leave() */
	enum guard_call call;
	enum guard_side side;
	const char *plugin, *instance;
	uint32_t n;                      /* events: how many, */
	struct guard_event first, last;  /* and the first and the last by position */
	bool own;                        /* some of them are Patchbay's own (id_is_own()) */
	const patchbay_request *request; /* or NULL */
	bool is_kept;                    /* the request: it is in the journal already */
	int64_t limit_ms;                /* after so long the process is beyond help; 0: somebody else watches */
};

/* ---- The threads of the worker */

/* The calling thread begins, and ends, a call. Not nested. Returns a number for guard_condemn(), 0: there is no guard.
 * [any thread] */
uint64_t guard_enter(const struct guard_note *);
void guard_leave(void);
/* That call does not return, and there is no other way out than to end the process. [any thread] */
void guard_condemn(uint64_t call);
/* The event that the calling thread's call is about. False: none, or several. [any thread] */
bool guard_event_at_hand(struct id *ret);
bool guard_is_on(void);
/* A descriptor that nobody but us may close is not there any more. Only the next process has one again: so this one
 * ends here, if there is a guard. [any thread] */
void guard_descriptor_lost(void);

/* ---- What is known of earlier processes (ledger.c). [any thread] */

#define GUARD_CRASHES_MAX 3u /* with one event, request, or call that is about none: then it is parked */

struct guard_blame {
	uint32_t count;             /* of crashes */
	bool suspect;               /* in a call with others: to be tried alone */
	enum guard_call call;       /* the last one */
	char what[GUARD_WHAT_SIZE]; /* "SIGSEGV at address 0x0 in acme.so+0x1139", "did not return" */
};
/* May there be anything about events of this instance? */
bool guard_has_events(enum guard_side, const char *instance);
/* What calls of this kind did with this event. False: nothing is known. */
bool guard_event_blame(enum guard_side, const char *instance, const struct guard_event *, struct guard_blame *ret);
/* The same of a request to a source, in VERIFY or PARSE; costs a look while nothing has ever crashed. */
bool guard_request_blame(const char *source, const patchbay_request *, enum guard_call, struct guard_blame *ret);
/* Is this instance to be left alone, all of it? *ret_why (may be NULL), GUARD_WHY_SIZE bytes, says why, and for how
 * long. */
bool guard_parked(enum guard_side, const char *instance, char *ret_why);
/* For good, so that it should not even be made? ret_why as before. */
bool guard_left_out(enum guard_side, const char *instance, char *ret_why);
/* A call of this instance was seen to work. */
void guard_works(enum guard_side, const char *instance, enum guard_call);
/* What was held against a plugin is void: there is another build of it, or an operator has asked for a reload. NULL:
 * of all plugins. */
void guard_forgive(const char *plugin);
/* "when it acted on", "when it was made", ... and "source", "sink", "plugin", for sentences. */
const char *guard_call_name(enum guard_call);
const char *guard_side_name(enum guard_side);

struct guard_instance_stats {
	enum guard_side side;
	char instance[GUARD_NAME_SIZE], plugin[GUARD_NAME_SIZE];
	uint64_t crashes; /* since the supervisor's start, */
	uint64_t own;     /* of which with Patchbay's own events: nobody is told by such an event, nor is it parked */
	bool parked;
	char why[GUARD_WHY_SIZE];
};
/* Instances that have crashed. Returns how many; fills in up to max. */
size_t guard_instances(struct guard_instance_stats *ret, size_t max);
uint64_t guard_restarts(void);

/* ---- The request that a source's plugin crashed with (request.c). [one thread] */

struct guard_request {
	char source[GUARD_NAME_SIZE], plugin[GUARD_NAME_SIZE];
	enum guard_call call; /* VERIFY or PARSE */
	char what[GUARD_WHAT_SIZE];
	uint32_t count;
	bool is_kept;             /* in the journal, already */
	patchbay_request request; /* in memory of this struct */
	void *memory;
};
/* The one that is left from the last process; it is taken once. False: none. */
bool guard_take_request(struct guard_request *ret);
void guard_request_free(struct guard_request *);

/* ---- Descriptors that outlive the process (keep.c). [any thread] */

/* The supervisor keeps a duplicate under this name (at most 200 bytes), in place of an older one. */
void guard_keep(const char *name, int fd);
/* A duplicate of what was kept, close-on-exec; -1: nothing. */
int guard_kept(const char *name);
/* It is not kept any more. */
void guard_forget(const char *name);

enum guard_holder { /* who holds what is kept, besides this program */
		    GUARD_ALONE,
		    GUARD_STORED, /* the service manager: it was given a duplicate, by an earlier run maybe */
		    GUARD_HANDED, /* the service manager, which made it */
};
/* Of what is kept, or would be. */
enum guard_holder guard_holder(const char *name);
/* The name of the i-th that the service manager handed over at the start, or kept for us; NULL past the last. */
const char *guard_inherited(size_t i);

/* ---- Signs of life, and what an operator may want to know (life.c). [any thread] */

enum guard_vital { GUARD_INTAKE, GUARD_COMMITTER, GUARD_VITALS };

/* The calling thread, which must be the same each time, is at work, and will say so again in less than a second; or
 * guard_rest(): it waits for work. A worker of which a vital thread is stuck is replaced, or watched no longer by
 * whoever would otherwise have to believe that all is well (daemon/manager.h). */
void guard_beat(enum guard_vital);
void guard_rest(enum guard_vital);
void guard_tell_waiting(uint64_t requests);
void guard_tell_size(size_t sources, size_t sinks, size_t routes);
void guard_reload_begins(void);
void guard_reload_ends(bool good);

/* ---- At the start of a worker: crashes are recorded from here on. `find` tells which plugin's code is at an address;
 * it is called from a signal handler. [one thread] */
struct guard_code {
	const char *path, *plugin; /* plugin: NULL as long as it is being loaded */
	uintptr_t offset;
};
typedef bool (*guard_find_code)(uintptr_t pc, struct guard_code *ret);
void guard_arm(guard_find_code find);
/* Everything has been started: from now on an end is no failure to start. */
void guard_ready(void);
/* The end that comes now is meant, whatever the exit status: no plugin has called _exit(). */
void guard_ending(void);

#endif
