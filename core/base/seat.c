/* seat.c - see seat.h. */
#include "base/seat.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct seat {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t free;
	unsigned refs;
	bool taken;
};

struct seat *seat_create(void)
{
	struct seat *seat = xcalloc(1, sizeof *seat);
	pthread_condattr_t attr;
	pthread_mutex_init(&seat->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&seat->free, &attr);
	pthread_condattr_destroy(&attr);
	seat->refs = 1;
	return seat;
}

struct seat *seat_ref(struct seat *seat)
{
	pthread_mutex_lock(&seat->lock);
	seat->refs++;
	pthread_mutex_unlock(&seat->lock);
	return seat;
}

void seat_unref(struct seat *seat)
{
	if (!seat)
		return;
	pthread_mutex_lock(&seat->lock);
	bool last = --seat->refs == 0;
	pthread_mutex_unlock(&seat->lock);
	if (!last)
		return;
	pthread_cond_destroy(&seat->free);
	pthread_mutex_destroy(&seat->lock);
	free(seat);
}

bool seat_take(struct seat *seat, int64_t wait_ms)
{
	struct timespec until;
	int rc = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(wait_ms % 1000 * NS_PER_MS);
	until.tv_sec += (time_t)(wait_ms / 1000 + until.tv_nsec / NS_PER_S);
	until.tv_nsec %= NS_PER_S;
	pthread_mutex_lock(&seat->lock);
	while (seat->taken && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&seat->free, &seat->lock, &until);
	bool got = !seat->taken;
	seat->taken = true;
	pthread_mutex_unlock(&seat->lock);
	return got;
}

void seat_leave(struct seat *seat)
{
	pthread_mutex_lock(&seat->lock);
	seat->taken = false;
	pthread_cond_signal(&seat->free);
	pthread_mutex_unlock(&seat->lock);
}
