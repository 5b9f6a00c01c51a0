/* decide.c - which events are new, and which repeat one that came before: by key, by one-time token, by whether the
 * answer got out. What dedupe remembers are fingerprints; the heads of the records say whether they are right. */
#include "journal/decide.h"

#include "base/mem.h"

#include <stdio.h>

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

uint64_t group_put(struct group *g, const void *p, size_t n)
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
	return group_put(g, c->scratch.p, c->scratch.n);
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
	group_put(&c->events, head, head->size);
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
		group_put(&c->events, head, head->size);
		worsen(t, JOURNAL_FRESH);
		return head->id;
	}
	struct lookup token = { .c = c, .hash = head->token, .token = true };
	bool token_seen = look_up(&token);
	if (token_seen && !hash128_eq(token.found.key, head->key)) {
		if (!(head->flags & JOURNAL_FLAG_LATE)) /* else that is where it comes from */
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
	uint64_t at = group_put(&c->events, head, head->size);
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

static void take_as_is(struct commit *c, struct journal_ticket *t)
{
	for (size_t at = 0; at < t->records.n;) {
		const struct record_head *head = (const void *)(t->records.p + at);
		group_put(head->kind == JOURNAL_REFUSED ? &c->quarantine : &c->events, head, head->size);
		at += head->size;
	}
	t->outcome = JOURNAL_FRESH;
}

void decide(struct commit *c, struct journal_ticket *t)
{
	t->outcome = 0;
	t->unanswered = false;
	if (t->as_is) {
		take_as_is(c, t);
		return;
	}
	size_t first_note = c->n_notes;
	for (size_t at = 0, i = 0; at < t->records.n; i++) {
		const struct record_head *head = (const void *)(t->records.p + at);
		struct id id = head->id;
		switch (head->kind) {
		case JOURNAL_EVENT:
			id = decide_event(c, t, head, t->known && t->known[i]);
			break;
		case JOURNAL_ANSWER:
			group_put(&c->events, head, head->size);
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
			group_put(&c->quarantine, head, head->size);
			c->count.refused++;
			worsen(t, JOURNAL_FRESH);
			break;
		default:
			group_put(&c->events, head, head->size);
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

/* ---- Rebuilding, while opening */

void decide_again(struct journal *j, uint64_t segment, const struct index_entry *e)
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
