/* batch.c - what a sink is to act on next. Strings are copied into the batch's arena: a record is the
 * reader's only until its next call. Bounded by the sink's events and bytes, and by the records looked at. */
#include "deliver/worker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/delivery.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_MAX 4096 /* records looked at for one batch */
#define PARKED_MAX 64 /* parked deliveries looked up at once */
#define UNREAD_DELAY_MS 10000
#define UNREAD_WAIT_MS 1000
#define BYTES_DEFAULT (1024 * 1024) /* when the sink sets no limit: memory must have one */

static void batch_reset(struct batch *batch)
{
	arena_reset(&batch->arena);
	batch->n = batch->bytes = batch->scanned = batch->n_settled = 0;
}

void batch_fini(struct batch *batch)
{
	arena_fini(&batch->arena);
	free(batch->items);
	free(batch->deliveries);
	free(batch->results);
	free(batch->settled);
}

struct journal_settled *batch_settled(struct batch *batch)
{
	if (batch->n_settled == batch->settled_room) {
		batch->settled_room = batch->settled_room ? batch->settled_room * 2 : 16;
		batch->settled = xrealloc(batch->settled, batch->settled_room * sizeof(*batch->settled));
	}
	struct journal_settled *settled = &batch->settled[batch->n_settled++];
	*settled = (struct journal_settled){ .why = { "", 0 } };
	return settled;
}

static void batch_add(struct batch *batch, const struct batch_item *item, const patchbay_delivery *delivery)
{
	if (batch->n == batch->room) {
		batch->room = batch->room ? batch->room * 2 : 16;
		batch->items = xrealloc(batch->items, batch->room * sizeof(*batch->items));
		batch->deliveries = xrealloc(batch->deliveries, batch->room * sizeof(*batch->deliveries));
		batch->results = xrealloc(batch->results, batch->room * sizeof(*batch->results));
	}
	patchbay_delivery *copy = delivery_copy(&batch->arena, delivery);
	copy->attempt = item->attempts + 1;
	batch->items[batch->n] = *item;
	batch->deliveries[batch->n++] = copy;
	batch->bytes += delivery_bytes(delivery);
}

static size_t bytes_max(const struct worker *w)
{
	return w->sink->batch_bytes > 0 ? (size_t)w->sink->batch_bytes : BYTES_DEFAULT;
}

/* Puts the record where it belongs. False: it does not fit any more. */
static bool take_record(struct worker *w, const struct journal_record *record, struct journal_pos at)
{
	struct batch *batch = &w->batch;
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery delivery;
	patchbay_str why = { "", 0 };
	if (record->kind != JOURNAL_EVENT)
		return true;
	delivery_from_record(record, id_text, &delivery);
	call_begin(&w->match, 0);
	switch (router_match(w->router, &w->match, &delivery, &why)) {
	case ROUTER_NOT_ROUTED:
		return true;
	case ROUTER_WHEN_FAILED: {
		struct journal_settled *skipped = batch_settled(batch);
		skipped->at = at;
		skipped->id = record->id;
		skipped->act = JOURNAL_SKIP;
		skipped->at_ms = clock_wall_ns() / NS_PER_MS;
		skipped->why = arena_copy(&batch->arena, why);
		return true;
	}
	case ROUTER_MATCHED:
		break;
	}
	if (batch->n && batch->bytes + delivery_bytes(&delivery) > bytes_max(w))
		return false;
	struct batch_item item = { .at = at, .id = record->id };
	if (w->trouble.on && memcmp(&w->trouble.probe, &record->id, sizeof(record->id)) == 0)
		item.attempts = w->trouble.attempts;
	batch_add(batch, &item, &delivery);
	return true;
}

int batch_fill_fresh(struct worker *w, size_t max)
{
	struct batch *batch = &w->batch;
	int64_t linger_until = 0;
	batch_reset(batch);
	batch->start = w->read;
	while (batch->n < max && batch->scanned < SCAN_MAX && !atomic_load(&w->stopping)) {
		struct journal_pos before = w->read, at;
		struct journal_record record;
		struct err err = { 0 };
		int got = journal_read(w->reader, &w->read, &record, &at, &err);
		if (got == 0) {
			int64_t now = clock_steady_ns();
			if (!batch->n || w->sink->batch_linger_ms <= 0)
				break;
			if (!linger_until)
				linger_until = now + w->sink->batch_linger_ms * NS_PER_MS;
			if (now >= linger_until)
				break;
			worker_sleep_until(w, linger_until); /* all of it: to wake at every commit costs more */
			continue;
		}
		if (got < 0) {
			log_limited(&w->unreadable, LOG_LEVEL_ERROR, "sink %s: %s", w->sink->name, err.text);
			if (journal_pos_cmp(before, w->read) == 0) { /* not damaged, only not to be read now */
				if (!batch->n)
					worker_sleep_until(w, clock_steady_ns() + UNREAD_WAIT_MS * NS_PER_MS);
				break;
			}
		} else if (!take_record(w, &record, at)) {
			w->read = before;
			break;
		}
		batch->scanned++;
	}
	batch->end = w->read;
	return atomic_load(&w->stopping) ? -1 : 0;
}

/* A parked delivery whose event cannot be read: gone for good, that is its end, with the reason; otherwise
 * (too many open files, say) it is put off, without counting an attempt that was none. */
static void unread(struct worker *w, const struct journal_parked *parked, const char *why)
{
	int64_t now = worker_now_ms(w);
	bool gone = !why || retry_gives_up(&w->sink->retry, parked->attempts, now - parked->first_ms);
	struct journal_settled *settled = batch_settled(&w->batch);
	settled->at = parked->at;
	settled->id = parked->id;
	settled->act = gone ? JOURNAL_DEAD : JOURNAL_PARK;
	settled->was_parked = true;
	settled->attempt = parked->attempts;
	settled->due_ms = now + UNREAD_DELAY_MS;
	settled->at_ms = clock_wall_ns() / NS_PER_MS;
	settled->class_ = "event";
	settled->why =
		arena_copy(&w->batch.arena, why ? str_c(why) : STR("the journal does not have this event any more"));
	if (!gone && settled->due_ms < w->next_due_ms)
		w->next_due_ms = settled->due_ms;
}

int batch_fill_parked(struct worker *w, size_t max)
{
	struct journal_parked due[PARKED_MAX];
	struct err err = { 0 };
	int64_t next;
	batch_reset(&w->batch);
	max = max < PARKED_MAX ? max : PARKED_MAX;
	int n = journal_due(w->journal, w->sink->name, worker_now_ms(w), due, max, &next, &err);
	if (n < 0) {
		log_limited(&w->unreadable, LOG_LEVEL_ERROR, "sink %s: %s", w->sink->name, err.text);
		w->next_due_ms = worker_now_ms(w) + 1000;
		return 0;
	}
	w->next_due_ms = next;
	for (int i = 0; i < n; i++) {
		struct journal_record record;
		char id_text[ID_TEXT_SIZE];
		patchbay_delivery delivery;
		int got = journal_read_at(w->reader, due[i].at, &record, &err);
		if (got <= 0) {
			unread(w, &due[i], got < 0 ? err.text : NULL);
			continue;
		}
		delivery_from_record(&record, id_text, &delivery);
		if (w->batch.n && w->batch.bytes + delivery_bytes(&delivery) > bytes_max(w)) {
			w->next_due_ms = due[i].due_ms;
			break;
		}
		struct batch_item item = { .at = due[i].at,
					   .id = due[i].id,
					   .parked = true,
					   .attempts = due[i].attempts,
					   .first_ms = due[i].first_ms };
		batch_add(&w->batch, &item, &delivery);
	}
	return 0;
}
