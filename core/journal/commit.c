/* commit.c - the committer: takes all tickets that came while the last sync ran, has decided which of their events are
 * new (decide.h), writes them with one write and one sync, and hands the tickets back in one group. No timer: under
 * load, groups form by themselves. Until a sync has succeeded, nothing of its group exists: dedupe entries are rolled
 * back. */
#include "journal/decide.h"

#include "base/clock.h"
#include "base/log.h"
#include "guard/guard.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_BYTES (UINT64_C(1) << 20)
#define GROUP_TICKETS 1024u
#define RETRY_AFTER_NS (100 * NS_PER_MS)

static void set_trouble(struct journal *j, const struct err *why)
{
	pthread_mutex_lock(&j->trouble.lock);
	bool was = atomic_exchange(&j->trouble.is, why != NULL);
	bool changed = why && strcmp(j->trouble.why.text, why->text) != 0;
	if (why)
		j->trouble.why = *why;
	pthread_mutex_unlock(&j->trouble.lock);
	/* What comes and goes is told of now and then; what stays is, even if another was told of just before. */
	j->trouble.untold = why && (!was || changed || j->trouble.untold);
	if (j->trouble.untold && log_limited(&j->trouble.limit, LOG_LEVEL_ERROR,
					     "journal: %s; posts are answered 503 until this is over", why->text)) {
		j->trouble.untold = false;
		j->trouble.told = true;
	} else if (!why && j->trouble.told) {
		log_info("journal: writes succeed again");
		j->trouble.told = false;
	}
}

static int reserve(struct seglog *log, struct group *g, struct err *err)
{
	g->bytes.n = 0;
	return seglog_reserve(log, &g->base, &g->salt, err);
}

static int write_group(struct commit *c, struct err *err)
{
	struct journal *j = c->j;
	if (c->unsure)
		return err_set(err, "%s", c->why.text);
	if (c->quarantine.bytes.n &&
	    seglog_commit(j->quarantine, c->quarantine.bytes.p, c->quarantine.bytes.n, err) != 0)
		return -1;
	return c->events.bytes.n ? seglog_commit(j->events, c->events.bytes.p, c->events.bytes.n, err) : 0;
}

/* A segment begins with a copy of all cursors. */
static bool carry_cursors(struct commit *c)
{
	struct journal *j = c->j;
	if (cursors_count(j->cursors) == 0 || atomic_load(&j->cursors_in) == c->events.base.hi)
		return false;
	c->scratch.n = 0;
	cursors_encode(j->cursors, &c->scratch);
	group_put(&c->events, c->scratch.p, c->scratch.n);
	return true;
}

static void note_cursors(struct commit *c)
{
	struct journal *j = c->j;
	cursors_note_durable(j->cursors);
	if (c->events.bytes.n)
		atomic_store(&j->cursors_in, cursors_count(j->cursors) ? c->events.base.hi : UINT64_MAX);
}

static void add_counts(struct commit *c)
{
	struct journal *j = c->j;
	atomic_fetch_add(&j->stats.appended, c->count.appended);
	atomic_fetch_add(&j->stats.duplicates, c->count.duplicates);
	atomic_fetch_add(&j->stats.malformed, c->count.malformed);
	atomic_fetch_add(&j->stats.refused, c->count.refused);
	atomic_fetch_add(&j->stats.replayed, c->count.replayed);
}

static int try_commit(struct commit *c, struct journal_ticket *list, struct err *err)
{
	struct journal *j = c->j;
	c->n_notes = 0;
	memset(&c->count, 0, sizeof c->count);
	c->unsure = false;
	if (clock_steady_ns() < j->retry_at_ns)
		return err_set(err, "%s", j->trouble.why.text);
	/* first: a full segment is finished even when there is no room, or it could never be pruned */
	if (reserve(j->events, &c->events, err) != 0 || reserve(j->quarantine, &c->quarantine, err) != 0)
		return -1;
	bool carried = carry_cursors(c);
	if (atomic_load(&j->over_limit)) {
		/* the segment that holds the cursors may be the one that has to go */
		if (carried && write_group(c, err) == 0)
			note_cursors(c);
		return err_set(err, "the journal is at its limit (retention: size) and everything in it is still owed; "
				    "raise the limit or mend the sinks that are behind");
	}
	if (dedupe_begin(j->dedupe, clock_wall_ns() - atomic_load(&j->limits.dedupe_ms) * NS_PER_MS)) {
		static struct log_limit limit;
		log_limited(&limit, LOG_LEVEL_WARNING,
			    "journal: more than %u keys within the dedupe window; the oldest are forgotten early",
			    DEDUPE_GENERATION * DEDUPE_GENERATIONS);
	}
	for (struct journal_ticket *t = list; t; t = t->next)
		decide(c, t);
	if (write_group(c, err) != 0) {
		dedupe_roll_back(j->dedupe);
		cursors_forget_noted(j->cursors);
		return -1;
	}
	note_cursors(c);
	add_counts(c);
	for (size_t i = 0; i < c->n_notes; i++) {
		if (c->notes[i].what == NOW_ANSWERED)
			unanswered_remove(j->unanswered, &c->notes[i].id);
		else
			unanswered_put(j->unanswered, &c->notes[i].id, c->notes[i].received_ns, false);
	}
	return 0;
}

static void hand_back(struct journal *j, struct journal_ticket *list)
{
	for (struct journal_ticket **t = &list, *own; *t;) {
		own = *t;
		if (!own->internal && !own->waiter) {
			t = &own->next;
			continue;
		}
		*t = own->next;
		if (own->waiter) {
			waiter_wake(own->waiter);
			continue;
		}
		buf_free(&own->records);
		free(own);
	}
	if (list)
		j->options.decided(j->options.ctx, list);
}

static void commit_group(struct commit *c, struct journal_ticket *list)
{
	struct journal *j = c->j;
	struct err err;
	if (try_commit(c, list, &err) == 0) {
		atomic_fetch_add(&j->stats.commits, 1);
		atomic_store(&j->stats.dedupe_keys, dedupe_count(j->dedupe));
		if (atomic_load(&j->trouble.is))
			set_trouble(j, NULL);
		pthread_mutex_lock(&j->tail.lock);
		if (j->tail.waiting)
			pthread_cond_broadcast(&j->tail.moved);
		pthread_mutex_unlock(&j->tail.lock);
	} else {
		set_trouble(j, &err);
		if (clock_steady_ns() >= j->retry_at_ns)
			j->retry_at_ns = clock_steady_ns() + RETRY_AFTER_NS;
		for (struct journal_ticket *t = list; t; t = t->next) {
			t->outcome = JOURNAL_UNAVAILABLE;
			atomic_fetch_add(&j->stats.unavailable, 1);
		}
	}
	hand_back(j, list);
}

/* ---- The thread, and its queue */

/* Waits for tickets and takes a group of them; NULL: told to stop, and nothing is left. */
static struct journal_ticket *take_group(struct journal *j)
{
	pthread_mutex_lock(&j->queue.lock);
	while (!j->queue.first && !j->queue.stop) {
		j->queue.idle = true;
		guard_rest(GUARD_COMMITTER);
		pthread_cond_wait(&j->queue.filled, &j->queue.lock);
	}
	j->queue.idle = false;
	struct journal_ticket *first = j->queue.first, **end = &j->queue.first;
	size_t bytes = 0;
	for (unsigned n = 0; *end && n < GROUP_TICKETS && bytes < GROUP_BYTES; n++) {
		bytes += (*end)->records.n;
		end = &(*end)->next;
	}
	if (first) {
		j->queue.first = *end;
		if (!*end)
			j->queue.last = &j->queue.first;
		*end = NULL;
		j->queue.bytes -= bytes;
	}
	pthread_mutex_unlock(&j->queue.lock);
	return first;
}

void *committer_main(void *journal)
{
	struct commit c = { .j = journal };
	for (struct journal_ticket *group; (group = take_group(c.j));) {
		guard_beat(GUARD_COMMITTER);
		commit_group(&c, group);
	}
	guard_rest(GUARD_COMMITTER);
	buf_free(&c.events.bytes);
	buf_free(&c.quarantine.bytes);
	buf_free(&c.scratch);
	free(c.notes);
	return NULL;
}
