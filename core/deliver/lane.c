/* lane.c - see lane.h. */
#include "deliver/lane.h"

#include "base/clock.h"
#include "base/mem.h"
#include "guard/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALL_MEMORY (256u << 20)       /* a plugin that needs more than this for a batch has gone wrong */
#define GRACE_MIN_NS (100 * NS_PER_MS) /* past the deadline: a quarter of it, within these bounds */
#define GRACE_MAX_NS (5 * NS_PER_S)

struct yard *yard_create(struct journal *journal)
{
	struct yard *yard = xcalloc(1, sizeof(*yard));
	pthread_mutex_init(&yard->lock, NULL);
	clock_cond_init(&yard->changed);
	yard->journal = journal;
	yard->refs = 1;
	return yard;
}

/* Takes the lock, and gives it back. */
static void unref(struct yard *yard)
{
	bool last = --yard->refs == 0;
	pthread_mutex_unlock(&yard->lock);
	if (!last)
		return;
	pthread_cond_destroy(&yard->changed);
	pthread_mutex_destroy(&yard->lock);
	free(yard);
}

void yard_release(struct yard *yard)
{
	if (!yard)
		return;
	pthread_mutex_lock(&yard->lock);
	yard->journal = NULL;
	unref(yard);
}

static void lane_free(struct lane *lane)
{
	instance_destroy(lane->instance);
	batch_fini(&lane->batch);
	call_fini(&lane->call);
	pthread_cond_destroy(&lane->wake);
	generation_unref(lane->generation);
	free(lane);
}

static struct guard_event event_of(const struct batch_item *item)
{
	return (struct guard_event){ .pos = { item->at.hi, item->at.lo }, .id = item->id };
}

static void enter(struct lane *lane, enum guard_call call)
{
	const struct batch *batch = &lane->batch;
	struct guard_note note = {
		.call = call, .side = GUARD_SINK, .plugin = lane->sink->plugin->name, .instance = lane->sink->name
	};
	if (call == GUARD_ACT) {
		const struct batch_item *first = batch->items, *last = batch->items;
		for (size_t i = 1; i < batch->n; i++) { /* parked ones come in the order in which they are due */
			const struct batch_item *item = &batch->items[i];
			first = journal_pos_cmp(item->at, first->at) < 0 ? item : first;
			last = journal_pos_cmp(item->at, last->at) > 0 ? item : last;
		}
		for (size_t i = 0; i < batch->n; i++)
			note.own |= id_is_own(&batch->items[i].id);
		note.n = (uint32_t)batch->n;
		note.first = event_of(first);
		note.last = event_of(last);
	}
	atomic_store(&lane->guarded, guard_enter(&note));
}

static void act(struct lane *lane)
{
	struct batch *batch = &lane->batch;
	for (size_t i = 0; i < batch->n; i++)
		batch->results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, { "", 0 } };
	lane->sink->plugin->sink->act(instance_self(lane->instance), &lane->call, batch->deliveries, batch->n,
				      batch->results, &lane->checkpoint);
}

/* Its plugin crashes whatever it is given. Nothing is lost by waiting. */
static void leave_alone(struct lane *lane, const char *why)
{
	call_explain(&lane->call, "%s", why);
	lane->status = PATCHBAY_EBADSINK;
	for (size_t i = 0; lane->job == LANE_ACT && i < lane->batch.n; i++)
		lane->batch.results[i] = (patchbay_result){ PATCHBAY_EBADSINK, 0, lane->call.why };
}

static void work(struct lane *lane)
{
	static const enum guard_call calls[] = {
		[LANE_RESUME] = GUARD_RESUME, [LANE_ACT] = GUARD_ACT, [LANE_IDLE] = GUARD_IDLE, [LANE_END] = 0
	};
	void *self = instance_self(lane->instance);
	char parked[GUARD_WHY_SIZE];
	lane->checkpoint = (patchbay_str){ "", 0 };
	call_begin(&lane->call, lane->sink->timeout_ms);
	if (instance_is_parked(lane->instance, parked)) {
		leave_alone(lane, parked);
		return;
	}
	enter(lane, calls[lane->job]);
	switch (lane->job) {
	case LANE_RESUME:
		lane->status = lane->abilities.checkpoint.resume(self, &lane->call, lane->given);
		break;
	case LANE_IDLE:
		lane->status = lane->abilities.idle.idle(self, &lane->call, &lane->checkpoint);
		break;
	case LANE_ACT:
		act(lane);
		break;
	case LANE_NOTHING:
	case LANE_END:
		break;
	}
	guard_leave();
}

static void *run(void *arg)
{
	struct lane *lane = arg;
	struct yard *yard = lane->yard;
	pthread_mutex_lock(&yard->lock);
	for (;;) {
		while (lane->state != LANE_BUSY)
			pthread_cond_wait(&lane->wake, &yard->lock);
		if (lane->job == LANE_END)
			break;
		pthread_mutex_unlock(&yard->lock);
		work(lane);
		pthread_mutex_lock(&yard->lock);
		if (lane->stray)
			break;
		lane->state = LANE_DONE;
		pthread_cond_broadcast(&yard->changed);
		if (yard->in_journal)
			journal_wake(yard->journal);
	}
	if (lane->stray) {
		yard->strays--;
		pthread_cond_broadcast(&yard->changed);
		pthread_mutex_unlock(&yard->lock);
		lane_free(lane);
		pthread_mutex_lock(&yard->lock);
	}
	unref(yard);
	return NULL;
}

struct lane *lane_create(struct yard *yard, struct generation *generation, const struct config_sink *sink,
			 const struct sink_abilities *abilities, struct err *err)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));
	char name[16];
	lane->yard = yard;
	lane->sink = sink;
	lane->generation = generation_ref(generation);
	lane->abilities = *abilities;
	lane->resumed = !abilities->checkpoint.resume;
	pthread_cond_init(&lane->wake, NULL);
	call_init(&lane->call, CALL_MEMORY);
	lane->instance = instance_create(sink->plugin, true, sink->name, sink->options, &sink->secrets, err);
	if (!lane->instance)
		goto fail;
	pthread_mutex_lock(&yard->lock);
	yard->refs++;
	pthread_mutex_unlock(&yard->lock);
	int r = pthread_create(&lane->thread, NULL, run, lane);
	if (r) {
		err_set(err, "sink %s: cannot start a thread: %s", sink->name, strerror(r));
		pthread_mutex_lock(&yard->lock);
		unref(yard);
		goto fail;
	}
	snprintf(name, sizeof(name), "act-%s", sink->name);
	pthread_setname_np(lane->thread, name);
	return lane;
fail:
	lane_free(lane);
	return NULL;
}

static int64_t cpu_ns(const struct lane *lane)
{
	struct timespec used;
	clockid_t clock;
	if (pthread_getcpuclockid(lane->thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
}

void lane_start(struct lane *lane, enum lane_job job, int64_t began_ns)
{
	pthread_mutex_lock(&lane->yard->lock);
	lane->job = job;
	lane->began_ns = began_ns;
	lane->cpu_ns = cpu_ns(lane);
	lane->at_ms = clock_wall_ns() / NS_PER_MS;
	lane->reported = false;
	lane->state = LANE_BUSY;
	pthread_cond_signal(&lane->wake);
	pthread_mutex_unlock(&lane->yard->lock);
}

bool lane_is(struct lane *lane, enum lane_state state)
{
	pthread_mutex_lock(&lane->yard->lock);
	bool is = lane->state == state;
	pthread_mutex_unlock(&lane->yard->lock);
	return is;
}

void lane_take(struct lane *lane)
{
	pthread_mutex_lock(&lane->yard->lock);
	lane->state = LANE_FREE;
	pthread_mutex_unlock(&lane->yard->lock);
}

double lane_busyness(const struct lane *lane, int64_t now_ns)
{
	int64_t passed = now_ns - lane->began_ns;
	return passed > 0 ? (double)(cpu_ns(lane) - lane->cpu_ns) / (double)passed : 0;
}

int64_t lane_overdue_ns(const struct lane *lane)
{
	int64_t timeout_ns = lane->sink->timeout_ms * NS_PER_MS, grace_ns = timeout_ns / 4;
	grace_ns = grace_ns < GRACE_MIN_NS ? GRACE_MIN_NS : grace_ns > GRACE_MAX_NS ? GRACE_MAX_NS : grace_ns;
	return lane->began_ns + timeout_ns + grace_ns;
}

void lane_drop(struct lane *lane)
{
	if (!lane)
		return;
	pthread_mutex_lock(&lane->yard->lock);
	if (lane->state == LANE_BUSY) {
		lane->stray = true;
		lane->yard->strays++;
		pthread_detach(lane->thread);
		pthread_mutex_unlock(&lane->yard->lock);
		return;
	}
	lane->job = LANE_END;
	lane->state = LANE_BUSY;
	pthread_cond_signal(&lane->wake);
	pthread_mutex_unlock(&lane->yard->lock);
	pthread_join(lane->thread, NULL);
	lane_free(lane);
}
