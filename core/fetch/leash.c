/* leash.c - see leash.h. */
#include "fetch/leash.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>

void leash_init(struct leash *l)
{
	pthread_mutex_init(&l->lock, NULL);
	clock_cond_init(&l->changed);
}

void leash_fini(struct leash *l)
{
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
}

static int wait_until(struct leash *l, int64_t steady_ns)
{
	struct timespec until = { .tv_sec = (time_t)(steady_ns / NS_PER_S), .tv_nsec = (long)(steady_ns % NS_PER_S) };
	return pthread_cond_timedwait(&l->changed, &l->lock, &until);
}

bool leash_stopping(struct leash *l)
{
	pthread_mutex_lock(&l->lock);
	bool stopping = l->stopping;
	pthread_mutex_unlock(&l->lock);
	return stopping;
}

bool leash_wait(struct leash *l, int64_t ms)
{
	int64_t until_ns = clock_steady_ns() + ms * NS_PER_MS;
	int rc = 0;
	pthread_mutex_lock(&l->lock);
	while (!l->stopping && rc != ETIMEDOUT)
		rc = wait_until(l, until_ns);
	bool go_on = !l->stopping;
	pthread_mutex_unlock(&l->lock);
	return go_on;
}

void leash_calls(struct leash *l)
{
	pthread_mutex_lock(&l->lock);
	l->calling = true;
	pthread_mutex_unlock(&l->lock);
}

bool leash_returns(struct leash *l)
{
	pthread_mutex_lock(&l->lock);
	l->calling = false;
	bool abandoned = l->abandoned;
	pthread_mutex_unlock(&l->lock);
	return !abandoned;
}

void leash_ends(struct leash *l)
{
	pthread_mutex_lock(&l->lock);
	l->ended = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

void leash_ask_to_stop(struct leash *l)
{
	pthread_mutex_lock(&l->lock);
	if (!l->stopping)
		l->asked_ns = clock_steady_ns();
	l->stopping = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

bool leash_has_ended(struct leash *l)
{
	pthread_mutex_lock(&l->lock);
	bool ended = l->ended;
	pthread_mutex_unlock(&l->lock);
	return ended;
}

bool leash_wait_for_end(struct leash *l, int64_t patience_ms)
{
	pthread_mutex_lock(&l->lock);
	int64_t until_ns = l->asked_ns + patience_ms * NS_PER_MS;
	while (!l->ended && !l->abandoned)
		if (wait_until(l, until_ns) == ETIMEDOUT) {
			l->abandoned = l->calling;
			until_ns = clock_steady_ns() + NS_PER_S / 10; /* outside a call, it will end by itself */
		}
	bool ended = l->ended;
	pthread_mutex_unlock(&l->lock);
	return ended;
}
