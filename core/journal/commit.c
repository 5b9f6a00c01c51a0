/* commit.c - the committer: takes all tickets that came while the last sync ran, decides which of their events are new,
 * writes them with one write and one sync, and hands the tickets back in one group. No timer: under load, groups form
 * by themselves. Until a sync has succeeded, nothing of its group exists: dedupe entries are rolled back. */
#include "journal/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_BYTES (UINT64_C(1) << 20)
#define GROUP_TICKETS 1024u
#define RETRY_AFTER_NS (100 * NS_PER_MS)

struct group { /* one log's share of a commit */
	struct buf bytes;
	struct journal_pos base;
	uint64_t salt;
};

struct commit {
	struct journal *j;
	struct group events, quarantine;
	struct buf scratch;
	struct { /* what is done to `unanswered` once the group is durable */
		struct id id;
		int64_t received_ns;
		enum { NOW_PENDING, NOW_ANSWERED } what;
	} * notes;
	size_t n_notes, room;
	struct { /* what the statistics gain once the group is durable */
		uint64_t appended, duplicates, malformed, refused, replayed;
	} count;
	bool unsure; /* whether something is a repeat could not be found out: `why` */
	struct err why;
};

static void note(struct commit *c, const struct id *id, int64_t received_ns, int what)
{
	if (c->n_notes == c->room) {
		c->room = c->room ? c->room * 2 : 64;
		c->notes = xrealloc(c->notes, c->room * sizeof *c->notes);
	}
	c->notes[c->n_notes].id = *id;
	c->notes[c->n_notes].received_ns = received_ns;
	c->notes[c->n_notes++].what = what;
}

/* ---- Looking at what came before */

struct lookup {
	struct commit *c;
	struct hash128 hash;
	bool token; /* compare tokens, not keys */
	struct index_entry found;
	uint64_t at;
};

static bool is_same(void *ctx, uint64_t at)
{
	struct lookup *l = ctx;
	struct journal_pos pos = pos_unpack(at);
	const struct group *g = &l->c->events;
	if (pos.hi == g->base.hi && pos.lo >= g->base.lo) {
		const struct record_head *head = (const void *)(g->bytes.p + (pos.lo - g->base.lo));
		index_entry_of(pos.lo, head, &l->found);
		if (head->kind == JOURNAL_DUPLICATE)
			l->found.id = head->original;
	} else {
		int rc = heads_at(l->c->j->heads, at, &l->found, &l->c->why);
		l->c->unsure |= rc == -1;
		if (rc != 1)
			return false;
	}
	l->at = at;
	return hash128_eq(l->token ? l->found.token : l->found.key, l->hash);
}

static bool look_up(struct lookup *l)
{
	return !hash128_none(l->hash) && dedupe_find(l->c->j->dedupe, l->hash.hi, is_same, l);
}

/* ---- Deciding one record */

static uint64_t put_bytes(struct group *g, const void *p, size_t n)
{
	size_t start = g->bytes.n;
	buf_add(&g->bytes, p, n);
	struct record_head *head = (void *)(g->bytes.p + start);
	record_seal(head, g->salt);
	return pos_pack((struct journal_pos){ g->base.hi, g->base.lo + start });
}

static uint64_t put_record(struct commit *c, struct group *g, const struct journal_record *r)
{
	c->scratch.n = 0;
	record_encode(&c->scratch, r);
	return put_bytes(g, c->scratch.p, c->scratch.n);
}

static void worsen(struct journal_ticket *t, enum journal_outcome outcome)
{
	static const int weight[] = {
		[0] = -1, [JOURNAL_DUP] = 0, [JOURNAL_FRESH] = 1, [JOURNAL_REPLAYED] = 2, [JOURNAL_UNAVAILABLE] = 3
	};
	if (weight[outcome] > weight[t->outcome])
		t->outcome = outcome;
}

static void put_replay(struct commit *c, const struct record_head *head, const struct id *first)
{
	struct journal_record r;
	char why[128], id[ID_TEXT_SIZE];
	record_decode(head, &r);
	id_format(first, id);
	int n = snprintf(why, sizeof why, "replay: its one-time token came before, with event %s", id);
	r.kind = JOURNAL_REFUSED;
	r.note = (patchbay_str){ why, (size_t)n };
	put_record(c, &c->quarantine, &r);
	c->count.replayed++;
}

static void put_duplicate(struct commit *c, const struct journal_ticket *t, const struct record_head *head,
			  const struct id *original, bool new_token)
{
	struct journal_record r;
	if (t->quiet)
		return;
	record_decode(head, &r);
	r.kind = JOURNAL_DUPLICATE;
	r.original = *original;
	r.data = STR("");
	uint64_t at = put_record(c, &c->events, &r);
	if (new_token)
		dedupe_put(c->j->dedupe, head->token.hi, at, 0, head->received_ns);
	c->count.duplicates++;
}

static void put_cursor(struct commit *c, const struct record_head *head)
{
	struct journal_record r;
	record_decode(head, &r);
	put_bytes(&c->events, head, head->size);
	cursors_note(c->j->cursors, r.source, r.data);
}

static bool is_repeat(const struct commit *c, const struct journal_ticket *t, const struct record_head *head,
		      const struct index_entry *before)
{
	switch (head->dedupe) {
	case PATCHBAY_DEDUPE_KEY:
		return true;
	case PATCHBAY_DEDUPE_LATEST:
		return hash128_eq(head->data, before->data);
	case PATCHBAY_DEDUPE_UNANSWERED:
		return hash128_eq(head->data, before->data) &&
		       unanswered_is_retry(c->j->unanswered, &before->id, head->received_ns, t->late_ms, t->horizon_s);
	default:
		return false;
	}
}

/* What comes late may be older than the latest state that is known. */
static bool is_outdated(uint8_t flags, int64_t received_ns, const struct index_entry *latest)
{
	return flags & JOURNAL_FLAG_LATE && received_ns < latest->received_ns;
}

/* Returns the id that the provider's answer should carry. known: a repeat, unless there is a newer state in memory. */
static struct id decide_event(struct commit *c, struct journal_ticket *t, const struct record_head *head, bool known)
{
	if (head->flags & JOURNAL_FLAG_RELEASED) { /* the event itself was new when it came */
		put_bytes(&c->events, head, head->size);
		worsen(t, JOURNAL_FRESH);
		return head->id;
	}
	struct lookup token = { .c = c, .hash = head->token, .token = true };
	bool token_seen = look_up(&token);
	if (token_seen && !hash128_eq(token.found.key, head->key)) {
		put_replay(c, head, &token.found.id);
		worsen(t, JOURNAL_REPLAYED);
		return head->id;
	}
	bool new_token = !token_seen && !hash128_none(head->token);
	bool weak = head->dedupe == PATCHBAY_DEDUPE_UNANSWERED;
	struct lookup key = { .c = c, .hash = head->key };
	bool key_seen = look_up(&key);
	if (key_seen ? is_repeat(c, t, head, &key.found) : known) {
		put_duplicate(c, t, head, &key.found.id, new_token);
		if (weak)
			note(c, &key.found.id, head->received_ns, NOW_PENDING);
		t->unanswered |= weak;
		worsen(t, JOURNAL_DUP);
		return key.found.id;
	}
	uint64_t at = put_bytes(&c->events, head, head->size);
	if (!hash128_none(head->key) && !(key_seen && is_outdated(head->flags, head->received_ns, &key.found)))
		dedupe_put(c->j->dedupe, head->key.hi, at, key_seen ? key.at : 0, head->received_ns);
	if (new_token)
		dedupe_put(c->j->dedupe, head->token.hi, at, 0, head->received_ns);
	if (weak)
		note(c, &head->id, head->received_ns, NOW_PENDING);
	t->unanswered |= weak;
	worsen(t, JOURNAL_FRESH);
	c->count.appended++;
	return head->id;
}

static void decide(struct commit *c, struct journal_ticket *t)
{
	t->outcome = 0;
	t->unanswered = false;
	size_t first_note = c->n_notes;
	for (size_t at = 0, i = 0; at < t->records.n; i++) {
		const struct record_head *head = (const void *)(t->records.p + at);
		struct id id = head->id;
		switch (head->kind) {
		case JOURNAL_EVENT:
			id = decide_event(c, t, head, t->known && t->known[i]);
			break;
		case JOURNAL_ANSWER:
			put_bytes(&c->events, head, head->size);
			if (head->flags & JOURNAL_FLAG_ANSWER_FAILED) /* true at once, durable or not */
				unanswered_put(c->j->unanswered, &head->original, head->received_ns, true);
			else
				note(c, &head->original, head->received_ns, NOW_ANSWERED);
			worsen(t, JOURNAL_FRESH);
			id = t->id;
			break;
		case JOURNAL_CURSOR:
			put_cursor(c, head);
			break;
		case JOURNAL_REFUSED:
			put_bytes(&c->quarantine, head, head->size);
			c->count.refused++;
			worsen(t, JOURNAL_FRESH);
			break;
		default:
			put_bytes(&c->events, head, head->size);
			c->count.malformed++;
			worsen(t, JOURNAL_FRESH);
			break;
		}
		if (at == 0)
			t->id = id;
		at += head->size;
	}
	if (t->outcome == 0) /* nothing but a cursor */
		t->outcome = JOURNAL_FRESH;
	if (t->unanswered) { /* ready for journal_answering(): one note per event */
		t->records.n = 0;
		for (size_t i = first_note; i < c->n_notes; i++) {
			struct journal_record r = { .kind = JOURNAL_ANSWER,
						    .original = c->notes[i].id,
						    .received_ns = c->notes[i].received_ns };
			record_encode(&t->records, &r);
		}
	}
}

/* ---- Committing a group */

void trouble_set(struct journal *j, const struct err *why)
{
	pthread_mutex_lock(&j->trouble.lock);
	bool was = atomic_exchange(&j->trouble.is, why != NULL);
	bool changed = why && strcmp(j->trouble.why.text, why->text) != 0;
	if (why)
		j->trouble.why = *why;
	pthread_mutex_unlock(&j->trouble.lock);
	if (why && (!was || changed))
		log_error("journal: %s; posts are answered 503 until this is over", why->text);
	else if (!why && was)
		log_info("journal: writes succeed again");
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
	put_bytes(&c->events, c->scratch.p, c->scratch.n);
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
	if (dedupe_begin(j->dedupe, clock_wall_ns() - j->options.dedupe_window_ms * NS_PER_MS)) {
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
			trouble_set(j, NULL);
		pthread_mutex_lock(&j->tail.lock);
		if (j->tail.waiting)
			pthread_cond_broadcast(&j->tail.moved);
		pthread_mutex_unlock(&j->tail.lock);
	} else {
		trouble_set(j, &err);
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
	for (struct journal_ticket *group; (group = take_group(c.j));)
		commit_group(&c, group);
	buf_free(&c.events.bytes);
	buf_free(&c.quarantine.bytes);
	buf_free(&c.scratch);
	free(c.notes);
	return NULL;
}

/* ---- Rebuilding, while opening */

void committer_replay(struct journal *j, uint64_t segment, const struct index_entry *e)
{
	uint64_t at = pos_pack((struct journal_pos){ segment, e->offset });
	struct commit c = { .j = j };
	if (e->kind == JOURNAL_ANSWER) {
		if (e->flags & JOURNAL_FLAG_ANSWER_FAILED)
			unanswered_put(j->unanswered, &e->id, e->received_ns, true);
		else
			unanswered_remove(j->unanswered, &e->id);
		return;
	}
	if (e->flags & JOURNAL_FLAG_RELEASED) /* known by what came first */
		return;
	if (e->kind == JOURNAL_EVENT && !hash128_none(e->key)) {
		struct lookup before = { .c = &c, .hash = e->key };
		bool seen = e->dedupe != PATCHBAY_DEDUPE_KEY && look_up(&before);
		if (!seen || !is_outdated(e->flags, e->received_ns, &before.found))
			dedupe_put(j->dedupe, e->key.hi, at, seen ? before.at : 0, e->received_ns);
	}
	if ((e->kind == JOURNAL_EVENT || e->kind == JOURNAL_DUPLICATE) && !hash128_none(e->token))
		dedupe_put(j->dedupe, e->token.hi, at, 0, e->received_ns);
	/* no note that its answer went out: none did */
	if (e->kind == JOURNAL_EVENT && e->dedupe == PATCHBAY_DEDUPE_UNANSWERED)
		unanswered_put(j->unanswered, &e->id, e->received_ns, true);
}
