/* enricher.c - see enricher.h. An event whose details cannot be had yet is parked, so that those behind it, of other
 * sources say, need not wait for it. */
#include "fetch/enricher.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/delivery.h"
#include "fetch/backoff.h"
#include "fetch/clients.h"
#include "fetch/leash.h"
#include "guard/guard.h"
#include "plugin/host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 30000
#define CALL_MEMORY ((size_t)128 << 20)
#define DETAILS_MAX ((size_t)16 << 20)
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LONGEST_MS 10000
#define TICK_MS 500 /* it looks at least so often whether it shall stop */
#define UNSETTLED_MAX 4096u
#define UNSETTLED_NS NS_PER_S
#define DUE_AT_ONCE 16u

struct enricher {
	struct journal *journal;
	struct enricher_change *clients;        /* the thread's */
	_Atomic(struct enricher_change *) next; /* to be its from the next event on */
	const struct enricher_change *latest;   /* [control]: one of them */
	struct journal_reader *reader, *lookup;
	patchbay_call call;
	struct journal_ticket ticket;
	struct journal_pos cursor; /* durable */
	struct journal_pos read;   /* looked at */
	uint32_t unsettled;        /* records between them */
	int64_t unsettled_ns;      /* steady clock: since when there are any */
	int64_t next_due_ms;       /* wall clock */
	int64_t wall_base_ns;      /* wall clock minus steady clock, at the start */
	struct log_limit trouble, lost;
	pthread_t thread;
	bool started;
	struct leash leash;
	struct {
		_Atomic uint64_t with_details, without, retried;
	} stats;
};

/* The wall clock, but never behind the time that has passed: one that is set back must not hold up what is due. */
static int64_t now_ms(const struct enricher *e)
{
	int64_t wall_ns = clock_wall_ns(), passed_ns = e->wall_base_ns + clock_steady_ns();
	return (wall_ns > passed_ns ? wall_ns : passed_ns) / NS_PER_MS;
}

static void pause_ms(struct enricher *e, int64_t ms)
{
	journal_wait(e->journal, (struct journal_pos){ UINT64_MAX, UINT64_MAX }, ms < TICK_MS ? ms : TICK_MS);
}

/* Settles, again and again until that works: what was released must be on record. False: it is time to stop. */
static bool settle(struct enricher *e, const struct journal_settled *settled)
{
	struct err err;
	const struct journal_pos *cursor = journal_pos_cmp(e->read, e->cursor) > 0 ? &e->read : NULL;
	while (journal_settle(e->journal, JOURNAL_SINK_ENRICH, cursor, settled, settled ? 1 : 0, NULL, &err) != 0) {
		log_limited(&e->trouble, LOG_LEVEL_ERROR, "details of events: %s; tried again", err.text);
		if (leash_stopping(&e->leash))
			return false;
		pause_ms(e, TICK_MS);
	}
	e->cursor = e->read;
	e->unsettled = 0;
	return true;
}

/* ---- One event */

static void take_clients(struct enricher *e)
{
	struct enricher_change *next = atomic_exchange(&e->next, NULL);
	if (!next)
		return;
	enricher_abandon(e->clients);
	e->clients = next;
}

/* Its plugin has crashed with that, or with whatever it was asked. Then the event goes on without details. */
static bool must_not_ask(struct enricher *e, const struct client *client, const struct guard_event *event)
{
	struct guard_blame blame;
	char parked[GUARD_WHY_SIZE];
	if (instance_is_parked(client->live->instance, parked) ||
	    guard_parked(GUARD_DETAILS, client->live->source->name, parked)) {
		call_explain(&e->call, "%s", parked);
		return true;
	}
	if (!guard_event_blame(GUARD_DETAILS, client->live->source->name, event, &blame) ||
	    blame.count < GUARD_CRASHES_MAX)
		return false;
	call_explain(&e->call, "the plugin crashed when it fetched them, %u times: %s", blame.count, blame.what);
	return true;
}

enum asked { ASKED, ASK_LATER, ASK_ABANDONED };

/* ASKED: *ret_details, or, if that is empty, call.why. ASK_LATER: call.why says why. */
static enum asked ask(struct enricher *e, const struct journal_record *record, struct journal_pos at, uint32_t attempt,
		      patchbay_str *ret_details)
{
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery event;
	patchbay_str details = { "", 0 };
	call_begin(&e->call, CALL_MS);
	*ret_details = details;
	take_clients(e);
	const struct client *client = clients_find(e->clients, record);
	if (!client) {
		call_explain(&e->call,
			     "nobody can be asked: the source '%.*s' is gone from routes.yaml, or its plugin fetches "
			     "no details",
			     STR_ARG(record->source));
		return ASKED;
	}
	struct guard_note note = { .call = GUARD_ENRICH,
				   .side = GUARD_DETAILS,
				   .plugin = client->live->source->plugin->name,
				   .instance = client->live->source->name,
				   .n = 1,
				   .first = { .pos = { at.hi, at.lo }, .id = record->id },
				   .limit_ms = 2 * CALL_MS };
	note.last = note.first;
	if (must_not_ask(e, client, &note.first))
		return ASKED;
	delivery_from_record(record, id_text, &event);
	event.attempt = attempt;
	leash_calls(&e->leash);
	guard_enter(&note);
	patchbay_status status =
		client->ability.enrich(instance_self(client->live->instance), &e->call, &event, &details);
	guard_leave();
	if (!leash_returns(&e->leash))
		return ASK_ABANDONED;
	guard_works(GUARD_DETAILS, client->live->source->name, GUARD_ENRICH);
	if (status != PATCHBAY_OK) {
		if (e->call.why.n == 0)
			call_explain(&e->call, "the plugin answered with status %d and no explanation", (int)status);
		return status == PATCHBAY_RETRY ? ASK_LATER : ASKED;
	}
	if (details.n > DETAILS_MAX)
		call_explain(&e->call, "the details have %zu bytes, more than the %zu that they may have", details.n,
			     DETAILS_MAX);
	else if (details.n == 0)
		call_explain(&e->call, "the plugin brought no details and no explanation");
	else if (json_parse(&e->call, details)) /* else it has explained */
		*ret_details = details;
	return ASKED;
}

/* True: the event stands in the journal once more, to be routed. False: it could not be made durable, err. */
static bool release(struct enricher *e, const struct journal_record *record, patchbay_str details, struct err *err)
{
	struct journal_record released = *record, found;
	int known = journal_find_released(e->lookup, &record->id, &found, NULL, err);
	if (known != 0) /* the process ended before that was settled */
		return known > 0;
	released.flags = (uint8_t)((record->flags & ~JOURNAL_FLAG_HELD) | JOURNAL_FLAG_RELEASED | JOURNAL_FLAG_LATE);
	released.request = details;
	released.note = details.n ? record->note : e->call.why;
	e->ticket = (struct journal_ticket){ .records = e->ticket.records, .n = 1 };
	e->ticket.records.n = 0;
	journal_encode(&e->ticket.records, &released);
	if (journal_append_wait(e->journal, &e->ticket, err) != 0)
		return false;
	atomic_fetch_add(details.n ? &e->stats.with_details : &e->stats.without, 1);
	return true;
}

/* False: it is time to stop, or nothing can be stored now; the event is looked at again. */
static bool handle(struct enricher *e, const struct journal_record *record, struct journal_pos at, uint32_t attempts,
		   bool was_parked)
{
	struct err err = { "" };
	patchbay_str details;
	int64_t began_ms = now_ms(e);
	struct journal_settled settled = { .at = at,
					   .id = record->id,
					   .act = JOURNAL_DONE,
					   .was_parked = was_parked,
					   .attempt = attempts + 1,
					   .at_ms = began_ms };
	enum asked asked = ask(e, record, at, attempts + 1, &details);
	if (asked == ASK_ABANDONED)
		return false;
	settled.took_ms = now_ms(e) - began_ms;
	if (asked == ASK_LATER) {
		settled.act = JOURNAL_PARK;
		settled.due_ms = now_ms(e) + backoff_ms(attempts + 1, BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS);
		settled.why = e->call.why;
		atomic_fetch_add(&e->stats.retried, 1);
		if (settled.due_ms < e->next_due_ms)
			e->next_due_ms = settled.due_ms;
		return settle(e, &settled);
	}
	while (!release(e, record, details, &err)) {
		log_limited(&e->trouble, LOG_LEVEL_ERROR, "details of events: %s; tried again", err.text);
		if (leash_stopping(&e->leash))
			return false;
		pause_ms(e, TICK_MS);
	}
	return settle(e, &settled);
}

/* ---- What comes next */

/* What is parked and due. False: it is time to stop. */
static bool handle_due(struct enricher *e)
{
	struct journal_parked due[DUE_AT_ONCE];
	struct journal_record record;
	struct err err;
	if (now_ms(e) < e->next_due_ms)
		return true;
	int n = journal_due(e->journal, JOURNAL_SINK_ENRICH, now_ms(e), due, DUE_AT_ONCE, &e->next_due_ms, &err);
	if (n < 0) {
		log_limited(&e->trouble, LOG_LEVEL_ERROR, "details of events: %s; tried again", err.text);
		e->next_due_ms = now_ms(e) + TICK_MS;
	}
	for (int i = 0; i < n; i++) {
		bool go_on;
		if (leash_stopping(&e->leash))
			return false;
		if (journal_read_at(e->reader, due[i].at, &record, &err) == 1) {
			go_on = handle(e, &record, due[i].at, due[i].attempts, true);
		} else {
			const struct log_about about = { .event = &due[i].id };
			log_about_limited(&e->lost, LOG_LEVEL_ERROR, &about, "details of events: %s; it is not routed",
					  err.text);
			go_on = settle(e, &(struct journal_settled){ .at = due[i].at,
								     .id = due[i].id,
								     .act = JOURNAL_SKIP,
								     .was_parked = true,
								     .at_ms = now_ms(e),
								     .why = str_c(err.text) });
		}
		if (!go_on)
			return false;
	}
	return true;
}

/* The next record. 1: there was one, 0: none yet, -1: it is time to stop. */
static int handle_next(struct enricher *e)
{
	struct journal_record record;
	struct journal_pos at, before = e->read;
	struct err err;
	int rc = journal_read(e->reader, &e->read, &record, &at, &err);
	if (rc < 0) {
		log_limited(&e->trouble, LOG_LEVEL_ERROR, "details of events: %s", err.text);
		return journal_pos_cmp(e->read, before) != 0;
	}
	if (rc == 0)
		return 0;
	if (record.kind == JOURNAL_EVENT && record.flags & JOURNAL_FLAG_HELD)
		return handle(e, &record, at, 0, false) ? 1 : -1;
	if (e->unsettled++ == 0)
		e->unsettled_ns = clock_steady_ns();
	return 1;
}

static void work(struct enricher *e)
{
	while (!leash_stopping(&e->leash) && handle_due(e)) {
		take_clients(e);
		int rc = handle_next(e);
		if (rc < 0)
			break;
		bool overdue = e->unsettled && clock_steady_ns() - e->unsettled_ns > UNSETTLED_NS;
		if ((overdue || e->unsettled >= UNSETTLED_MAX) && !settle(e, NULL))
			break;
		if (rc == 1)
			continue;
		int64_t ms = e->next_due_ms - now_ms(e);
		ms = ms < 0 ? 0 : ms < TICK_MS ? ms : TICK_MS;
		journal_wait(e->journal, e->read, ms);
	}
}

static void *enrich_main(void *ctx)
{
	struct enricher *e = ctx;
	work(e);
	leash_ends(&e->leash); /* an abandoned one, too: nobody looks any more */
	return NULL;
}

/* ---- Life */

static void note_sink(void *ctx, const struct journal_delivery_state *state)
{
	bool *known = ctx;
	*known |= strcmp(state->sink, JOURNAL_SINK_ENRICH) == 0;
}

/* Was anything ever held here? */
static int journal_knows(struct journal *journal, bool *ret, struct err *err)
{
	static const struct id nobody;
	*ret = false;
	return journal_deliveries(journal, journal_end(journal), &nobody, note_sink, ret, err);
}

struct enricher_change *enricher_prepare(struct enricher *e, struct generation *g, struct faults *faults)
{
	return clients_create(g, e->latest, faults);
}

void enricher_commit(struct enricher *e, struct enricher_change *change)
{
	e->latest = change;
	enricher_abandon(atomic_exchange(&e->next, change));
	if (!e->started) /* nobody else would take it */
		take_clients(e);
}

static int start_thread(struct enricher *e, struct err *err)
{
	struct journal_sink sink;
	if (journal_sink_open(e->journal, JOURNAL_SINK_ENRICH, &sink, err) != 0)
		return -1;
	free((void *)(uintptr_t)sink.checkpoint.p);
	e->cursor = e->read = sink.cursor;
	if (pthread_create(&e->thread, NULL, enrich_main, e) != 0)
		return err_set(err, "cannot start the thread that fetches details of events");
	e->started = true;
	pthread_setname_np(e->thread, "enrich");
	return 0;
}

int enricher_open(struct enricher *e, const struct enricher_change *change, struct err *err)
{
	bool known = false;
	if (e->started || (change->n == 0 && journal_knows(e->journal, &known, err) != 0))
		return e->started ? 0 : -1;
	return change->n || known ? start_thread(e, err) : 0;
}

struct enricher *enricher_start(struct journal *journal, struct generation *g, struct err *err)
{
	struct enricher *e = xcalloc(1, sizeof *e);
	struct config_faults found = { 0 };
	struct faults faults = { .path = "", .list = &found };
	e->journal = journal;
	e->reader = journal_reader_open(journal);
	e->lookup = journal_reader_open(journal);
	e->wall_base_ns = clock_wall_ns() - clock_steady_ns();
	leash_init(&e->leash);
	call_init(&e->call, CALL_MEMORY);
	struct enricher_change *change = enricher_prepare(e, g, &faults);
	bool good = change != NULL;
	if (!good)
		err_set(err, "%s", found.v[0].message);
	else
		enricher_commit(e, change);
	good = good && enricher_open(e, change, err) == 0;
	config_faults_free(&found);
	if (good)
		return e;
	enricher_stop(e);
	return NULL;
}

void enricher_ask_to_stop(struct enricher *e)
{
	if (!e || !e->started)
		return;
	leash_ask_to_stop(&e->leash);
	journal_wake(e->journal); /* if it is just about to wait: not for longer than a tick */
}

size_t enricher_stop(struct enricher *e)
{
	if (!e)
		return 0;
	if (e->started) {
		enricher_ask_to_stop(e);
		if (!leash_wait_for_end(&e->leash, LEASH_PATIENCE_MS)) {
			log_warning(
				"a plugin that fetches details of an event does not come to an end; it is abandoned");
			return 1;
		}
		pthread_join(e->thread, NULL);
	}
	enricher_abandon(e->clients);
	enricher_abandon(atomic_load(&e->next));
	journal_reader_close(e->reader);
	journal_reader_close(e->lookup);
	call_fini(&e->call);
	buf_free(&e->ticket.records);
	leash_fini(&e->leash);
	free(e);
	return 0;
}

void enricher_stats(struct enricher *e, struct enricher_stats *ret)
{
	*ret = (struct enricher_stats){ .with_details = e->stats.with_details,
					.without = e->stats.without,
					.retried = e->stats.retried };
}
