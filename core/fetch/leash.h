/* leash.h - how a thread that calls into a plugin, and may be stuck there, is stopped: it is asked to, and given time.
 * A call that does not come back is abandoned: its thread, should it ever go on, touches nothing any more. */
#ifndef FETCH_LEASH_H
#define FETCH_LEASH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct leash {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool stopping, calling, abandoned, ended;
	int64_t asked_ns; /* steady clock */
};

void leash_init(struct leash *);
void leash_fini(struct leash *);

/* The thread's. */
bool leash_stopping(struct leash *);
bool leash_wait(struct leash *, int64_t ms); /* false: it is time to stop */
void leash_calls(struct leash *);            /* a call into the plugin begins, */
bool leash_returns(struct leash *);          /* and is over. False: it was abandoned; return at once */
void leash_ends(struct leash *);             /* the last thing that it does */

/* Whoever stops it. */
void leash_ask_to_stop(struct leash *);
bool leash_has_ended(struct leash *);
#define LEASH_PATIENCE_MS 10000
/* Waits until the thread ends: true. False: that long after it was asked to, it is still in a call; its memory, the
 * configuration and the plugin must stay. */
bool leash_wait_for_end(struct leash *, int64_t patience_ms);

#endif
