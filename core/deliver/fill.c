/* fill.c - what to act on next: parked deliveries that are due, or fresh events behind the cursor. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "deliver/delivery.h"
#include "guard/guard.h"

#include <stdio.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define SCAN_MAX 4096   /* records looked at for one batch */
#define PARKED_MAX 64   /* parked deliveries of one batch */
#define LOOK_UP_MAX 512 /* and looked up for it */
#define AHEAD_MAX 65536 /* positions that may be settled ahead of the slowest call */
#define UNREAD_DELAY_MS 10000
#define UNREAD_WAIT_MS 1000
#define BYTES_DEFAULT (1024 * 1024) /* when the sink sets no limit: memory must have one */

static size_t bytes_max(const struct worker *w)
{
	return w->sink->batch_bytes > 0 ? (size_t)w->sink->batch_bytes : BYTES_DEFAULT;
}

static bool fits(const struct worker *w, const struct batch *batch, const patchbay_delivery *delivery)
{
	return !batch->n || batch->bytes + delivery_bytes(delivery) <= bytes_max(w);
}

/* ---- Order: one event of a subject at a time. */

static uint64_t subject_of(const struct worker *w, const patchbay_delivery *event)
{
	if (!w->sink->order_subject || !event->subject.n)
		return 0;
	uint64_t hash = XXH3_64bits_withSeed(event->subject.p, event->subject.n,
					     XXH3_64bits(event->source.p, event->source.n)) >>
			1;
	return hash ? hash : 1;
}

/* Is an event of that subject in this batch, or in the hands of a lane? */
static bool subject_is_out(struct worker *w, const struct batch *batch, uint64_t subject)
{
	for (size_t i = 0; subject && i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (!lane || (&lane->batch != batch && (lane->job != LANE_ACT || lane_is(lane, LANE_FREE))))
			continue;
		for (size_t k = 0; k < lane->batch.n; k++)
			if (lane->batch.items[k].subject == subject)
				return true;
	}
	return false;
}

/* Is one of that subject parked? Then this one waits in the journal, too: true. */
static bool waits_for_subject(struct worker *w, const struct journal_record *record, struct journal_pos at,
			      uint64_t subject)
{
	struct err err = { 0 };
	if (!subject || !w->has_parked)
		return false;
	int owed = journal_subject_owed(w->journal, w->sink->name, subject, &err);
	if (owed == 0)
		return false;
	if (owed < 0)
		log_about_limited(&w->unreadable, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name, err.text);
	struct journal_settled *settled = settle_add(w);
	settled->at = at;
	settled->id = record->id;
	settled->act = JOURNAL_PARK;
	settled->subject = subject;
	settled->at_ms = clock_wall_ns() / NS_PER_MS;
	settled->due_ms = owed > 0 ? JOURNAL_WAITS : worker_now_ms(w) + UNREAD_WAIT_MS;
	settled->why = STR("waits for an earlier event of the same subject");
	return true;
}

/* ---- What crashed before, see guard/guard.h */

#define ROUTE_MS 10000 /* for one `when`, after which it will never end */

static struct guard_event guard_event_of(const struct id *id, struct journal_pos at)
{
	return (struct guard_event){ .pos = { at.hi, at.lo }, .id = *id };
}

enum record { FIT, FIT_ALONE, UNFIT };

/* UNFIT: it is a dead letter now. */
static enum record judge(struct worker *w, const struct id *id, struct journal_pos at,
			 const struct journal_parked *parked)
{
	const struct guard_event event = guard_event_of(id, at);
	struct guard_blame blame;
	char text[400];
	if (!w->blamed || !guard_event_blame(GUARD_SINK, w->sink->name, &event, &blame))
		return FIT;
	if (blame.count < GUARD_CRASHES_MAX)
		return FIT_ALONE;
	int n = snprintf(text, sizeof text,
			 "the plugin crashed %s it, %u times: %s; once it is mended, `patchbay reload`, and replay",
			 guard_call_name(blame.call), blame.count, blame.what);
	if (blame.call == GUARD_ROUTE)
		n = snprintf(text, sizeof text,
			     "the `when` of a route does not come to an end, or crashes: %s; once it is mended, "
			     "`patchbay reload`, and replay",
			     blame.what);
	*settle_add(w) = (struct journal_settled){
		.at = at,
		.id = *id,
		.act = JOURNAL_DEAD,
		.was_parked = parked != NULL,
		.subject = parked ? parked->subject : 0,
		.attempt = blame.count + (parked ? parked->attempts : 0),
		.at_ms = clock_wall_ns() / NS_PER_MS,
		.class_ = blame.call == GUARD_ROUTE ? "configuration" : "plugin",
		.why = arena_copy(&w->settlement_texts,
				  (patchbay_str){ text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 }),
	};
	return UNFIT;
}

static enum router_outcome match(struct worker *w, const struct journal_record *record, struct journal_pos at,
				 const patchbay_delivery *delivery, const struct config_route **ret_route,
				 patchbay_str *ret_why)
{
	struct guard_note note = { .call = GUARD_ROUTE,
				   .side = GUARD_SINK,
				   .plugin = w->sink->plugin->name,
				   .instance = w->sink->name,
				   .n = 1,
				   .limit_ms = ROUTE_MS };
	note.first = note.last = guard_event_of(&record->id, at);
	note.own = id_is_own(&record->id);
	call_begin(&w->match, 0);
	guard_enter(&note);
	enum router_outcome outcome = router_match(w->routing->router, &w->match, delivery, ret_route, ret_why);
	guard_leave();
	return outcome;
}

/* ---- One event */

static void set_route(struct worker *w, struct batch *batch, const struct config_route *route, patchbay_delivery *event)
{
	char text[300];
	if (!route)
		return;
	int n = snprintf(text, sizeof(text), "%s:%d", w->routing->routes_name, route->line);
	event->route = arena_copy(&batch->arena,
				  (patchbay_str){ text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
}

static struct batch_item item_of(struct worker *w, const struct journal_record *record, struct journal_pos at,
				 uint64_t subject)
{
	const struct tried *tried = worker_tried(w, at, false);
	return (struct batch_item){ .at = at,
				    .id = record->id,
				    .attempts = tried ? tried->attempts : 0,
				    .subject = subject,
				    .received_ms = record->received_ns / NS_PER_MS };
}

/* Puts the record where it belongs. False: it cannot be taken now. */
static bool take_record(struct worker *w, struct batch *batch, const struct journal_record *record,
			struct journal_pos at)
{
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery delivery;
	const struct config_route *route = NULL;
	patchbay_str why = { "", 0 };
	if (atomic_load(&w->next_routing)) /* it may have come after the routes changed */
		return false;
	if (record->kind != JOURNAL_EVENT || (record->flags & JOURNAL_FLAG_HELD) || ahead_has(&w->ahead, at))
		return true;
	enum record fit = judge(w, &record->id, at, NULL);
	if (fit == UNFIT)
		return true;
	delivery_from_record(record, id_text, &delivery);
	switch (match(w, record, at, &delivery, &route, &why)) {
	case ROUTER_NOT_ROUTED:
		return true;
	case ROUTER_WHEN_FAILED: {
		struct journal_settled *skipped = settle_add(w);
		skipped->at = at;
		skipped->id = record->id;
		skipped->act = JOURNAL_SKIP;
		skipped->at_ms = clock_wall_ns() / NS_PER_MS;
		skipped->why = arena_copy(&w->settlement_texts, why);
		const struct log_about about = worker_about(w, &record->id);
		log_about_limited(&w->skipped, LOG_LEVEL_WARNING, &about, "sink %s: an event is not delivered: %.*s",
				  w->sink->name, STR_ARG(why));
		return true;
	}
	case ROUTER_MATCHED:
		break;
	}
	uint64_t subject = subject_of(w, &delivery);
	if (subject_is_out(w, batch, subject)) {
		w->fresh_blocked = batch->n == 0;
		return false;
	}
	if (waits_for_subject(w, record, at, subject))
		return true;
	if (!fits(w, batch, &delivery) || (batch->n && fit == FIT_ALONE))
		return false;
	batch->full = fit == FIT_ALONE;
	struct batch_item item = item_of(w, record, at, subject);
	set_route(w, batch, route, &delivery);
	batch_add(batch, &item, &delivery);
	return true;
}

int fill_fresh(struct worker *w, struct lane *lane, size_t max)
{
	struct batch *batch = &lane->batch;
	size_t scanned = 0;
	bool at_end = false;
	batch_reset(batch);
	batch->fresh = true;
	batch->start = w->read;
	if (w->ahead.n >= AHEAD_MAX &&
	    worker_has_fresh_out(w)) { /* else reading starts at the cursor, and makes it shorter */
		w->fresh_blocked = true;
		return 0;
	}
	while (batch->n < max && !batch->full && scanned < SCAN_MAX && !atomic_load(&w->stopping)) {
		struct journal_pos before = w->read, at;
		struct journal_record record;
		struct err err = { 0 };
		int got = journal_read(w->reader, &w->read, &record, &at, &err);
		at_end = got == 0;
		if (at_end)
			break;
		if (got < 0) {
			log_about_limited(&w->unreadable, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name,
					  err.text);
			if (journal_pos_cmp(before, w->read) == 0) { /* not damaged, only not to be read now */
				if (!batch->n)
					wait_for_ms(w, UNREAD_WAIT_MS);
				break;
			}
		} else if (!take_record(w, batch, &record, at)) {
			w->read = before;
			break;
		}
		scanned++;
	}
	if (scanned && !w->unsettled)
		w->unsettled_ns = clock_steady_ns();
	w->unsettled += scanned;
	w->backlog = !at_end;
	return batch->n > 0;
}

/* ---- Parked ones */

/* A parked delivery whose event cannot be read: gone for good, that is its end, with the reason; otherwise
 * (too many open files, say) it is put off, without counting an attempt that was none. */
static void unread(struct worker *w, const struct journal_parked *parked, const char *why)
{
	int64_t now = worker_now_ms(w);
	bool gone = !why || retry_gives_up(&w->sink->retry, parked->attempts, now - parked->first_ms);
	struct journal_settled *settled = settle_add(w);
	settled->at = parked->at;
	settled->id = parked->id;
	settled->act = gone ? JOURNAL_DEAD : JOURNAL_PARK;
	settled->was_parked = true;
	settled->attempt = parked->attempts;
	settled->subject = parked->subject;
	settled->due_ms = now + UNREAD_DELAY_MS;
	settled->at_ms = clock_wall_ns() / NS_PER_MS;
	settled->class_ = "event";
	settled->why = why ? arena_copy(&w->settlement_texts, str_c(why))
			   : STR("the journal does not have this event any more");
	if (gone)
		settle_tell_dead(w, &parked->id, settled->class_, settled->why);
}

static bool is_out(struct worker *w, const struct batch *batch, struct journal_pos at)
{
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (!lane || &lane->batch == batch || lane->job != LANE_ACT || lane_is(lane, LANE_FREE) ||
		    lane->batch.fresh)
			continue;
		for (size_t k = 0; k < lane->batch.n; k++)
			if (journal_pos_cmp(lane->batch.items[k].at, at) == 0)
				return true;
	}
	return false;
}

static size_t parked_out(struct worker *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n_lanes; i++) {
		struct lane *lane = w->lanes[i];
		if (lane && lane->job == LANE_ACT && !lane_is(lane, LANE_FREE) && !lane->batch.fresh)
			n += lane->batch.n;
	}
	return n;
}

/* False: no more of them into this batch. */
static bool take_parked(struct worker *w, struct batch *batch, const struct journal_parked *parked)
{
	struct err err = { 0 };
	struct journal_record record;
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery delivery;
	const struct config_route *route = NULL;
	patchbay_str why;
	const struct tried *tried = worker_tried(w, parked->at, false);
	enum record fit = judge(w, &parked->id, parked->at, parked);
	bool alone = (tried && tried->hangs) || fit == FIT_ALONE; /* whoever made a call hang is tried by itself */
	if (fit == UNFIT)
		return true;
	if (batch->n && alone)
		return false;
	if (subject_is_out(w, batch, parked->subject))
		return true;
	int got = journal_read_at(w->reader, parked->at, &record, &err);
	if (got <= 0) {
		unread(w, parked, got < 0 ? err.text : NULL);
		return true;
	}
	delivery_from_record(&record, id_text, &delivery);
	if (!fits(w, batch, &delivery))
		return false;
	match(w, &record, parked->at, &delivery, &route, &why);
	set_route(w, batch, route, &delivery);
	struct batch_item item = item_of(w, &record, parked->at, parked->subject);
	item.parked = true;
	if (parked->attempts > item.attempts)
		item.attempts = parked->attempts;
	item.first_ms = parked->first_ms;
	batch_add(batch, &item, &delivery);
	return !alone;
}

int fill_parked(struct worker *w, struct lane *lane, size_t max)
{
	struct batch *batch = &lane->batch;
	struct journal_parked due[LOOK_UP_MAX];
	struct err err = { 0 };
	int64_t next;
	size_t look_up = parked_out(w);
	batch_reset(batch);
	batch->fresh = false;
	max = max < PARKED_MAX ? max : PARKED_MAX;
	look_up = look_up + max < LOOK_UP_MAX ? look_up + max : LOOK_UP_MAX;
	int n = journal_due(w->journal, w->sink->name, worker_now_ms(w), due, look_up, &next, &err);
	if (n < 0) {
		log_about_limited(&w->unreadable, LOG_LEVEL_ERROR, &w->about, "sink %s: %s", w->sink->name, err.text);
		w->next_due_ms = worker_now_ms(w) + UNREAD_WAIT_MS;
		return 0;
	}
	w->has_parked = n > 0 || next != INT64_MAX;
	w->next_due_ms = next;
	int i = 0, passed = 0;
	for (; i < n && batch->n < max; i++) {
		size_t before = batch->n + w->settlement.n;
		if (!is_out(w, batch, due[i].at) && !take_parked(w, batch, &due[i]))
			break;
		passed += batch->n + w->settlement.n == before;
	}
	if (i < n || passed)
		w->next_due_ms = 0; /* there are more that are due */
	if (passed == n && n > 0)
		w->parked_blocked = true; /* all of them are out, or their subjects are */
	return batch->n > 0;
}
