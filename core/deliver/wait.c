/* wait.c - until there is something to do: a lane is done, the journal has more, or it is time for something. */
#include "deliver/worker.h"

#include "base/clock.h"

#include <errno.h>

#define WAIT_MAX_MS 10000
#define BUSY_WAIT_MAX_MS 20 /* a lane's wake-up may fall between the look and the wait */

bool wait_for_change(struct worker *w, int64_t ns)
{
	const struct timespec until = clock_deadline(ns < WAIT_MAX_MS * NS_PER_MS ? ns : WAIT_MAX_MS * NS_PER_MS);
	return pthread_cond_timedwait(&w->yard->changed, &w->yard->lock, &until) != ETIMEDOUT;
}

bool wait_for_ms(struct worker *w, int64_t ms)
{
	int64_t until = clock_steady_ns() + ms * NS_PER_MS, now;
	pthread_mutex_lock(&w->yard->lock);
	while (!atomic_load(&w->for_good) && (now = clock_steady_ns()) < until)
		wait_for_change(w, until - now);
	pthread_mutex_unlock(&w->yard->lock);
	return !atomic_load(&w->for_good);
}

/* Until a lane is done, or should be; or it is time for something else. */
static void wait_for_lanes(struct worker *w, int64_t ns)
{
	int64_t now = clock_steady_ns();
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (lane && lane_is(lane, LANE_BUSY) && !lane->reported && lane_overdue_ns(lane) - now < ns)
			ns = lane_overdue_ns(lane) - now;
	}
	pthread_mutex_lock(&w->yard->lock);
	for (size_t i = 0; i < w->n_lanes; i++)
		if (w->lanes[i] && w->lanes[i]->state == LANE_DONE)
			ns = 0;
	if (ns > 0 && !atomic_load(&w->stopping))
		wait_for_change(w, ns);
	pthread_mutex_unlock(&w->yard->lock);
}

static void wait_for_events(struct worker *w, int64_t ns)
{
	if (worker_is_busy(w) && ns > BUSY_WAIT_MAX_MS * NS_PER_MS)
		ns = BUSY_WAIT_MAX_MS * NS_PER_MS;
	pthread_mutex_lock(&w->yard->lock);
	w->yard->in_journal = true;
	if (atomic_load(&w->stopping))
		ns = 0;
	for (size_t i = 0; i < w->n_lanes; i++)
		if (w->lanes[i] && w->lanes[i]->state == LANE_DONE)
			ns = 0;
	pthread_mutex_unlock(&w->yard->lock);
	if (ns > 0)
		journal_wait(w->journal, w->read, (ns + NS_PER_MS - 1) / NS_PER_MS);
	pthread_mutex_lock(&w->yard->lock);
	w->yard->in_journal = false;
	pthread_mutex_unlock(&w->yard->lock);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* give_work() has just found nothing: what time alone would not change must not be waited for here, or the thread would
 * spin. */
void wait_for_work(struct worker *w)
{
	int64_t now = clock_steady_ns(), until = now + WAIT_MAX_MS * NS_PER_MS;
	bool busy = worker_is_busy(w), full = !worker_free_lane(w);
	bool shut = w->breaker.open && (busy || now < w->breaker.next_ns), paced = !pace_allows(&w->pace, now);
	if (w->unsettled)
		until = earlier(until, w->unsettled_ns + 500 * NS_PER_MS);
	if (!full && shut && !busy)
		until = earlier(until, w->breaker.next_ns);
	if (!full && !shut && paced)
		until = earlier(until, w->pace.next_ns);
	if (!full && !shut && !paced) {
		int64_t due_ms = w->next_due_ms - worker_now_ms(w);
		if (!w->parked_blocked && due_ms < WAIT_MAX_MS)
			until = earlier(until, now + due_ms * NS_PER_MS);
		if (!w->fresh_blocked && w->linger_ns)
			until = earlier(until, w->linger_ns);
	}
	if (w->abilities.idle.every_ms && !w->breaker.open)
		for (size_t i = 0; i < w->n_lanes; i++)
			if (w->lanes[i] && w->lanes[i]->resumed && lane_is(w->lanes[i], LANE_FREE))
				until = earlier(until, w->lanes[i]->idle_ns);
	int64_t ns = until - now > NS_PER_MS / 20 ? until - now : NS_PER_MS / 20;
	if (full || shut || paced || w->fresh_blocked || w->linger_ns)
		wait_for_lanes(w, ns);
	else
		wait_for_events(w, ns);
}
