/* seat.c - see seat.h. */
#include "base/seat.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct seat {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t free;
	unsigned refs;
	bool taken;
};

struct seat *seat_create(void)
{
	struct seat *seat = xcalloc(1, sizeof *seat);
	pthread_mutex_init(&seat->lock, NULL);
	clock_cond_init(&seat->free);
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
	const struct timespec until = clock_deadline(wait_ms * NS_PER_MS);
	int rc = 0;
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
