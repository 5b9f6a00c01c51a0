/* import.c - see import.h.
 *
 * What is imported is old, but stands behind what is new. So each record is marked late: it changes nothing about the
 * latest state of anything; and each group ends with a note of now: by that the segment is as young as the import, so
 * that dedupe looks at it when it starts, and at those before it, and the retention counts from now. */
#include "journal/import.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_BYTES (UINT64_C(1) << 20)
#define DAY_MS INT64_C(86400000)
#define NOTE "import" /* among the journal's notes */

struct set {               /* of 128 bits: ids, or hashes of keys */
	struct hash128 *v; /* 0 = free */
	size_t n, room;
};

struct import {
	struct import_order order;
	struct journal *j;
	struct journal_reader *reader;
	struct journal_ticket ticket;
	struct set ids, keys, unanswered;
	struct {
		char *name;
		bool caught_up; /* has come to the end: its cursor goes on with the import */
	} * sinks;
	size_t n_sinks;
	struct import_sums sums;
};

/* ---- Sets */

static struct hash128 *slot(const struct set *s, struct hash128 h)
{
	uint64_t x =
		(h.lo ^ h.hi * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xc2b2ae3d27d4eb4f); /* ids are no hashes */
	size_t i = (size_t)(x ^ x >> 32) & (s->room - 1);
	while (!hash128_none(s->v[i]) && !hash128_eq(s->v[i], h))
		i = (i + 1) & (s->room - 1);
	return &s->v[i];
}

/* False: it was there. */
static bool set_add(struct set *s, struct hash128 h)
{
	if (s->n * 3 >= s->room * 2) {
		struct set larger = { .room = s->room ? s->room * 2 : 1024 };
		larger.v = xcalloc(larger.room, sizeof *larger.v);
		for (size_t i = 0; i < s->room; i++)
			if (!hash128_none(s->v[i]))
				*slot(&larger, s->v[i]) = s->v[i];
		larger.n = s->n;
		free(s->v);
		*s = larger;
	}
	struct hash128 *at = slot(s, h);
	if (!hash128_none(*at))
		return false;
	*at = h;
	s->n++;
	return true;
}

static bool set_has(const struct set *s, struct hash128 h)
{
	return s->room && !hash128_none(*slot(s, h));
}

/* An event that was held has two records of one id. */
static struct hash128 name_of(const struct id *id, uint8_t flags)
{
	struct hash128 h;
	memcpy(&h, id, sizeof h);
	h.hi ^= flags & JOURNAL_FLAG_RELEASED ? UINT64_MAX : 0;
	return h;
}

/* ---- What is there */

static int learn_log(struct import *im, struct seglog *log, struct err *err)
{
	struct seglog_segment s;
	for (size_t i = 0; seglog_at(log, i, &s); i++) {
		struct index index;
		if (index_make(seglog_dir(log), s.number, s.end, &index, err) != 0)
			return -1;
		for (size_t k = 0; k < index.n; k++) {
			const struct index_entry *e = &index.v[k];
			if (e->kind == JOURNAL_ANSWER || e->kind == JOURNAL_CURSOR)
				continue;
			set_add(&im->ids, name_of(&e->id, e->flags));
			if (e->kind == JOURNAL_EVENT && e->dedupe == PATCHBAY_DEDUPE_KEY && !hash128_none(e->key))
				set_add(&im->keys, e->key);
		}
		index_free(&index);
	}
	return 0;
}

/* Is there no event from this position to where the import begins? */
static bool caught_up(struct import *im, struct journal_pos pos, struct journal_pos begin)
{
	struct journal_record r;
	struct journal_pos at;
	struct err ignored;
	int got;
	while ((got = journal_read(im->reader, &pos, &r, &at, &ignored)) != 0)
		if (got < 0 || (r.kind == JOURNAL_EVENT && journal_pos_cmp(at, begin) < 0))
			return false;
		else if (journal_pos_cmp(at, begin) >= 0)
			break;
	return true;
}

static int learn_sinks(struct import *im, struct journal_pos begin, struct err *err)
{
	char *name = xasprintf("%s/state.db", im->order.path);
	struct state_survey state;
	int result = 0;
	for (size_t i = 0; result == 0 && im->order.deliver && i < im->order.n_sinks; i++) {
		struct journal_sink sink;
		result = journal_sink_open(im->j, im->order.sinks[i], &sink, err);
		free((void *)(uintptr_t)sink.checkpoint.p);
	}
	if (result == 0)
		result = state_survey(name, false, &state, err);
	if (result == 0) {
		im->sinks = xcalloc(state.n_sinks + 1, sizeof *im->sinks);
		for (size_t i = 0; i < state.n_sinks; i++) {
			im->sinks[im->n_sinks].name = xstrdup(state.sinks[i].name);
			im->sinks[im->n_sinks++].caught_up = caught_up(im, state.sinks[i].cursor, begin);
		}
		state_survey_free(&state);
	}
	free(name);
	if (result == 0 && im->order.deliver && !im->n_sinks)
		result = err_set(err, "no sink is known here to deliver to; name the configuration with -c FILE");
	return result;
}

struct import *import_open(const struct import_order *order, struct err *err)
{
	struct import *im = xcalloc(1, sizeof *im);
	const struct journal_options options = { .path = order->path,
						 .retention_age_ms = INT64_MAX / 4,
						 .retention_bytes = (int64_t)order->retention_bytes,
						 .quarantine_bytes = INT64_MAX / 4,
						 .dedupe_window_ms = DAY_MS,
						 .segment_bytes = 0 };
	im->order = *order;
	im->ticket.as_is = true;
	im->j = journal_open(&options, err);
	if (!im->j)
		goto fail;
	/* Nothing is pruned while this has it. */
	journal_limit(im->j, &(struct journal_options){ .retention_age_ms = INT64_MAX / 4,
							.retention_bytes = INT64_MAX / 4,
							.quarantine_bytes = INT64_MAX / 4 });
	im->reader = journal_reader_open(im->j);
	if (learn_log(im, im->j->events, err) == 0 && learn_log(im, im->j->quarantine, err) == 0 &&
	    learn_sinks(im, journal_end(im->j), err) == 0)
		return im;
fail:
	import_close(im, false, NULL, NULL);
	return NULL;
}

/* ---- Taking in */

static int skip_for(struct import *im, const char *sink, struct journal_pos from, struct err *err)
{
	struct journal_settled v[256];
	struct journal_record r;
	struct journal_pos pos = from, at;
	size_t n = 0;
	for (int got = 1, result = 0; got != 0;) {
		got = journal_read(im->reader, &pos, &r, &at, err);
		if (got < 0)
			return -1;
		if (got == 1 && r.kind == JOURNAL_EVENT)
			v[n++] = (struct journal_settled){ .at = at,
							   .id = r.id,
							   .act = JOURNAL_SKIP,
							   .at_ms = clock_wall_ns() / NS_PER_MS,
							   .why = STR("imported, not to be delivered") };
		if (n == 256 || (got == 0 && n)) {
			im->sums.not_routed += n;
			result = journal_settle(im->j, sink, NULL, v, n, NULL, err);
			n = 0;
		}
		if (result != 0)
			return -1;
	}
	return 0;
}

/* Of what came in from here on, no sink is owed anything. */
static int settle(struct import *im, struct journal_pos from, struct err *err)
{
	struct journal_pos end = journal_end(im->j);
	for (size_t i = 0; i < im->n_sinks; i++) {
		int result = im->sinks[i].caught_up ? journal_settle(im->j, im->sinks[i].name, &end, NULL, 0, NULL, err)
						    : skip_for(im, im->sinks[i].name, from, err);
		if (result != 0)
			return -1;
	}
	return 0;
}

/* On record before a group is: where it begins; and when it is settled, that it is. */
static int note_begin(struct journal *j, const struct journal_pos *from, struct err *err)
{
	char text[48] = "";
	if (from)
		snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, from->hi, from->lo);
	return journal_notes_put(j, &(struct journal_note){ NOTE, str_c(text) }, 1, err);
}

static int flush(struct import *im, struct err *err)
{
	struct journal_pos from = journal_end(im->j);
	if (!im->ticket.n)
		return 0;
	if (!im->order.deliver && im->n_sinks && note_begin(im->j, &from, err) != 0)
		return -1;
	const struct journal_record now = { .kind = JOURNAL_ANSWER,
					    .received_ns = clock_wall_ns(),
					    .note = STR("imported: what stands before this, in the same step") };
	journal_encode(&im->ticket.records, &now);
	int result = journal_append_wait(im->j, &im->ticket, err);
	im->ticket.records.n = 0;
	im->ticket.n = 0;
	return result == 0 && !im->order.deliver ? settle(im, from, err) : result;
}

/* Is it to be left out? */
static bool leave(struct import *im, const struct journal_record *r)
{
	struct hash128 original;
	memcpy(&original, &r->original, sizeof original);
	if (r->kind == JOURNAL_ANSWER)
		return !set_has(&im->unanswered, original);
	if (im->order.deliver && r->kind == JOURNAL_EVENT && r->dedupe == PATCHBAY_DEDUPE_KEY &&
	    !(r->flags & JOURNAL_FLAG_RELEASED) && !set_has(&im->ids, name_of(&r->id, 0)) &&
	    set_has(&im->keys, record_key(r->dedupe, r->source, r->key))) {
		im->sums.known++;
		return true;
	}
	if (set_add(&im->ids, name_of(&r->id, r->flags)))
		return false;
	im->sums.there++;
	return true;
}

int import_add(struct import *im, const struct journal_record *r, struct err *err)
{
	struct journal_record late = *r;
	if (leave(im, r))
		return 0;
	if (r->kind == JOURNAL_EVENT)
		late.flags |= JOURNAL_FLAG_LATE;
	if (r->kind == JOURNAL_EVENT && r->dedupe == PATCHBAY_DEDUPE_UNANSWERED)
		set_add(&im->unanswered, name_of(&r->id, 0));
	*(r->kind == JOURNAL_ANSWER    ? &im->sums.notes
	  : r->kind == JOURNAL_REFUSED ? &im->sums.quarantined
				       : &im->sums.imported) += 1;
	journal_encode(&im->ticket.records, &late);
	im->ticket.n++;
	return im->ticket.records.n >= GROUP_BYTES ? flush(im, err) : 0;
}

static void forget_sinks(struct import *im)
{
	for (size_t i = 0; i < im->n_sinks; i++)
		free(im->sinks[i].name);
	free(im->sinks);
}

int import_close(struct import *im, bool flush_it, struct import_sums *sums, struct err *err)
{
	int result = flush_it ? flush(im, err) : 0;
	if (flush_it && result == 0 && !im->order.deliver && im->n_sinks)
		result = note_begin(im->j, NULL, err);
	if (sums)
		*sums = im->sums;
	journal_reader_close(im->reader);
	journal_close(im->j);
	buf_free(&im->ticket.records);
	forget_sinks(im);
	free(im->ids.v);
	free(im->keys.v);
	free(im->unanswered.v);
	free(im);
	return result;
}

/* ---- After one that was cut off */

static void read_note(void *ctx, const struct journal_note *note)
{
	struct journal_pos *begin = ctx;
	if (strcmp(note->name, NOTE) == 0 && sscanf(note->value.p, "%" SCNu64 " %" SCNu64, &begin->hi, &begin->lo) != 2)
		*begin = (struct journal_pos){ 0, 0 };
}

int import_finish(struct journal *j, struct err *err)
{
	struct journal_pos begin = { 0, 0 };
	if (journal_notes(j, read_note, &begin, err) != 0)
		return -1;
	if (!begin.hi)
		return 0;
	struct import im = { .order.path = j->path, .j = j, .reader = journal_reader_open(j) };
	int result = learn_sinks(&im, begin, err);
	if (result == 0)
		result = settle(&im, begin, err);
	if (result == 0)
		result = note_begin(j, NULL, err);
	forget_sinks(&im);
	journal_reader_close(im.reader);
	return result;
}
