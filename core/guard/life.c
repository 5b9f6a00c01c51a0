/* life.c - see guard.h. All of it lies in the shared memory, where the supervisor looks at it. */
#include "guard/internal.h"

#include "base/clock.h"

#include <unistd.h>

void guard_beat(enum guard_vital vital)
{
	if (!guard_board)
		return;
	struct guard_life *life = &guard_board->life;
	if (atomic_load_explicit(&life->vital[vital].tid, memory_order_relaxed) == 0)
		atomic_store(&life->vital[vital].tid, gettid());
	atomic_store_explicit(&life->vital[vital].since_ns, clock_steady_ns(), memory_order_relaxed);
}

void guard_rest(enum guard_vital vital)
{
	if (guard_board)
		atomic_store_explicit(&guard_board->life.vital[vital].since_ns, 0, memory_order_relaxed);
}

int64_t guard_silent_since(enum guard_vital vital)
{
	return atomic_load_explicit(&guard_board->life.vital[vital].since_ns, memory_order_relaxed);
}

void guard_life_begins(void)
{
	struct guard_life *life = &guard_board->life;
	for (int i = 0; i < GUARD_VITALS; i++) {
		atomic_store(&life->vital[i].since_ns, 0);
		atomic_store(&life->vital[i].tid, 0);
	}
	atomic_store(&life->waiting, 0);
	atomic_store(&life->reloads_ended, atomic_load(&life->reloads_begun)); /* it will not end any more */
}

void guard_tell_waiting(uint64_t requests)
{
	if (guard_board)
		atomic_store_explicit(&guard_board->life.waiting, requests, memory_order_relaxed);
}

void guard_tell_size(size_t sources, size_t sinks, size_t routes)
{
	if (!guard_board)
		return;
	atomic_store(&guard_board->life.sources, sources);
	atomic_store(&guard_board->life.sinks, sinks);
	atomic_store(&guard_board->life.routes, routes);
}

void guard_reload_begins(void)
{
	if (!guard_board)
		return;
	atomic_fetch_add(&guard_board->life.reloads_begun, 1);
	guard_wake();
}

void guard_reload_ends(bool good)
{
	if (!guard_board)
		return;
	atomic_store(&guard_board->life.reload_refused, !good);
	atomic_store(&guard_board->life.reloads_ended, atomic_load(&guard_board->life.reloads_begun));
	guard_wake();
}
