/* reverify.c - see reverify.h. The requests are taken in groups, since the journal finds a thousand keys as quickly as
 * one. An event is made durable first, and then noted that its request is recovered; if the process ends in between,
 * the next run finds the event's key or, where it has none, its id, which is made of the request's. */
#include "source/reverify.h"

#include "base/clock.h"
#include "base/mem.h"
#include "source/admit.h"
#include "source/quarantine.h"
#include "source/quarantine_list.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define PLUGIN_MS 1000
#define CALL_MEMORY ((size_t)512 << 20)
#define GROUP_REQUESTS 512u
#define GROUP_BYTES ((size_t)8 << 20)

struct event {
	struct journal_key key; /* what it points to is in the arena */
	struct id id;
	size_t start, end; /* in run.encoded */
};

struct known { /* the last event of a key in this run */
	XXH128_hash_t key, data;
	struct id id;
};

struct request { /* looked at, not concluded */
	struct id id;
	int64_t received_ns;
	enum admitted how;
	patchbay_str why; /* in the arena */
	size_t first, n;  /* its events */
};

struct run {
	const struct reverify *r;
	struct instance *instance;
	struct journal_reader *reader;
	patchbay_call call, live_call;
	struct quarantine_list list;
	/* the group at hand */
	struct arena arena;
	struct request requests[GROUP_REQUESTS];
	size_t n_requests;
	struct event *events;
	size_t n_events, events_room;
	struct buf encoded;
	struct journal_ticket ticket;
	void *known; /* by tsearch(): struct known */
	struct buf line;
	struct reverify_counts count;
	bool unheard;
};

static bool is_over(void *ctx)
{
	const struct run *run = ctx;
	return run->unheard || (run->r->stopping && atomic_load(run->r->stopping));
}

/* ---- Saying what became of one */

static void add_string(struct buf *line, const char *name, patchbay_str value)
{
	buf_addf(line, "%s\"%s\":", line->n ? "," : "{", name);
	buf_add_json_string(line, value);
}

static void add_id(struct buf *line, const char *name, const struct id *id)
{
	char text[ID_TEXT_SIZE];
	id_format(id, text);
	add_string(line, name, str_c(text));
}

static void say(struct run *run)
{
	buf_add(&run->line, "}", 1);
	if (!run->r->say(run->r->ctx, buf_str(&run->line)))
		run->unheard = true;
	run->line.n = 0;
}

static bool is_listed(const struct event *event, bool admitted)
{
	return admitted ? !event->key.known : event->key.known;
}

static void say_request(struct run *run, const struct request *request, const char *result, const struct id *instead)
{
	char time[CLOCK_ISO_SIZE], id[ID_TEXT_SIZE];
	bool admitted = strcmp(result, "admitted") == 0, first = true;
	clock_format_iso(request->received_ns, time);
	add_id(&run->line, "request", &request->id);
	add_string(&run->line, "received", str_c(time));
	add_string(&run->line, "result", str_c(result));
	buf_addf(&run->line, ",\"events\":[");
	for (size_t i = 0; i < request->n; i++) {
		const struct event *event = &run->events[request->first + i];
		if (instead || !is_listed(event, admitted) || (admitted && run->r->dry_run))
			continue;
		id_format(admitted ? &event->id : &event->key.id, id);
		buf_addf(&run->line, "%s\"%s\"", first ? "" : ",", id);
		first = false;
	}
	if (instead) {
		id_format(instead, id);
		buf_addf(&run->line, "\"%s\"", id);
	}
	buf_addf(&run->line, "]");
	add_string(&run->line, "why", request->why);
	say(run);
}

static void say_end(struct run *run)
{
	buf_addf(&run->line,
		 "{\"result\":\"end\",\"admitted\":%llu,\"events\":%llu,\"here\":%llu,\"nothing\":%llu,\"fails\":%llu,"
		 "\"before\":%llu,\"dry_run\":%s,\"live_refuses\":%s",
		 (unsigned long long)run->count.admitted, (unsigned long long)run->count.events,
		 (unsigned long long)run->count.here, (unsigned long long)run->count.nothing,
		 (unsigned long long)run->count.fails, (unsigned long long)run->count.before,
		 run->r->dry_run ? "true" : "false", run->count.live_refuses ? "true" : "false");
	say(run);
}

/* ---- Looking at one */

/* The same in every run. */
static struct id event_id(const struct request *request, size_t number)
{
	struct id id = request->id;
	uint64_t hash = XXH3_64bits(&id, sizeof id);
	for (size_t i = 9; i < sizeof id.b; i++, hash >>= 8) /* behind the time and the variant */
		id.b[i] = (uint8_t)hash;
	id.b[14] = (uint8_t)(number >> 8); /* in their order */
	id.b[15] = (uint8_t)number;
	return id;
}

static bool has_key(const struct event *event)
{
	return event->key.dedupe != PATCHBAY_DEDUPE_NONE;
}

static void take_event(void *ctx, struct journal_record *record)
{
	struct run *run = ctx;
	const struct request *request = &run->requests[run->n_requests - 1];
	if (run->n_events == run->events_room) {
		run->events_room = run->events_room ? 2 * run->events_room : 1024;
		run->events = xrealloc(run->events, run->events_room * sizeof *run->events);
	}
	struct event *event = &run->events[run->n_events++];
	struct buf note = { 0 };
	*event = (struct event){ .start = run->encoded.n };
	/* Nobody knows any more whether that answer arrived. It was not 200, so what comes again is another event. */
	if (record->dedupe == PATCHBAY_DEDUPE_UNANSWERED)
		record->dedupe = PATCHBAY_DEDUPE_NONE;
	event->id = record->id = event_id(request, run->n_events - 1 - request->first);
	record->flags |= JOURNAL_FLAG_LATE;
	buf_addf(&note, "%.*s (reverified)", STR_ARG(record->note));
	record->note = buf_str(&note);
	event->key = (struct journal_key){ .source = str_c(run->r->source->name),
					   .key = arena_copy(&run->arena, record->key),
					   .dedupe = record->dedupe,
					   .id = event->id };
	if (record->dedupe == PATCHBAY_DEDUPE_LATEST) { /* a state that was seen before this one may come again */
		event->key.data = arena_copy(&run->arena, record->data);
		event->key.since_ns = record->received_ns;
	}
	journal_encode(&run->encoded, record);
	event->end = run->encoded.n;
	buf_free(&note);
}

static enum admitted check(struct run *run, const struct journal_record *record, struct quarantined *q, struct err *why)
{
	patchbay_call *call = &run->call;
	struct emission emission = { .source = run->r->source, .call = call, .take = take_event, .ctx = run };
	patchbay_reply reply = { .size = sizeof reply };
	call_begin(call, PLUGIN_MS);
	if (!quarantine_read(call, record, q, why))
		return ADMITTED_REFUSED;
	if (!quarantine_path_secret_is_right(call, q, run->r->source)) {
		err_set(why, "the secret part of its URL is not among those of path_secret");
		return ADMITTED_REFUSED;
	}
	enum admitted how = admit_by_plugin(&emission, run->instance, &q->request, &reply);
	err_set(why, "%.*s", STR_ARG(call->why));
	return how;
}

static bool live_refuses(struct run *run, const struct quarantined *q)
{
	patchbay_reply reply = { .size = sizeof reply };
	patchbay_call *call = &run->live_call;
	if (!run->r->live || instance_is_parked(run->r->live, NULL))
		return false;
	call_begin(call, PLUGIN_MS);
	if (!quarantine_path_secret_is_right(call, q, run->r->live_source))
		return true;
	patchbay_status status =
		run->r->live_source->plugin->source->verify(instance_self(run->r->live), call, &q->request, &reply);
	return status != PATCHBAY_OK && status != PATCHBAY_REPLY;
}

static void look_at(struct run *run, const struct journal_record *record)
{
	struct quarantined q;
	struct err why = { "" };
	struct request *request = &run->requests[run->n_requests++];
	*request = (struct request){ .id = record->id, .received_ns = record->received_ns, .first = run->n_events };
	request->how = check(run, record, &q, &why);
	request->why = arena_copy(&run->arena, str_c(why.text));
	if (request->how == ADMITTED_REFUSED || request->how == ADMITTED_MALFORMED || request->how == ADMITTED_NOT_NOW)
		run->n_events = request->first;
	else if (!run->count.live_refuses)
		run->count.live_refuses = live_refuses(run, &q);
	request->n = run->n_events - request->first;
}

/* ---- Concluding a group */

static int find_known(struct run *run, struct err *err)
{
	struct journal_key *keys = xcalloc(run->n_events + 1, sizeof *keys);
	for (size_t i = 0; i < run->n_events; i++)
		keys[i] = run->events[i].key;
	int rc = run->n_events ? journal_keys_known(run->reader, keys, run->n_events, err) : 0;
	for (size_t i = 0; rc == 0 && i < run->n_events; i++)
		run->events[i].key = keys[i];
	free(keys);
	return rc;
}

static int by_key(const void *a, const void *b)
{
	return XXH128_cmp(&((const struct known *)a)->key, &((const struct known *)b)->key);
}

/* Retries of the provider's were refused as well; only the first of them is an event. */
static void find_in_run(struct run *run, struct event *event)
{
	const struct journal_key *key = &event->key;
	struct known *known = xcalloc(1, sizeof *known);
	known->key = XXH3_128bits_withSeed(key->key.p, key->key.n, key->dedupe);
	known->data = XXH3_128bits(key->data.p, key->data.n); /* only of LATEST */
	known->id = key->known ? key->id : event->id;
	struct known **at = tsearch(known, &run->known, by_key);
	if (!at || *at == known)
		return;
	if (!key->known && XXH128_isEqual((*at)->data, known->data)) {
		event->key.known = true;
		event->key.id = (*at)->id;
	} else {
		(*at)->data = known->data;
		(*at)->id = known->id;
	}
	free(known);
}

static int recovered(struct run *run, const struct request *request, const struct id *event, struct err *err)
{
	return run->r->dry_run
		       ? 0
		       : journal_recovered_add(run->r->journal, &request->id, event, clock_wall_ns() / NS_PER_MS, err);
}

/* Those of its events that are not here yet go into the journal, as one. */
static int append(struct run *run, struct request *request, struct err *err)
{
	struct journal_ticket *t = &run->ticket;
	struct id id = { { 0 } };
	struct buf records = t->records;
	*t = (struct journal_ticket){ .records = records };
	t->records.n = 0;
	for (size_t i = 0; i < request->n; i++) {
		struct event *event = &run->events[request->first + i];
		if (has_key(event))
			find_in_run(run, event);
		if (event->key.known) {
			id = event->key.id;
			continue;
		}
		buf_add(&t->records, run->encoded.p + event->start, event->end - event->start);
		t->n++;
	}
	t->outcome = JOURNAL_FRESH;
	struct err trouble;
	if (t->n && !run->r->dry_run && journal_append_wait(run->r->journal, t, &trouble) != 0 &&
	    t->outcome != JOURNAL_REPLAYED)
		return err_set(err, "%s", trouble.text);
	if (t->n && t->outcome == JOURNAL_REPLAYED) {
		request->why = STR("its one-time token came before, with another message");
		run->count.fails++;
		say_request(run, request, "fails", NULL);
		return 0;
	}
	bool here = t->n == 0 || t->outcome == JOURNAL_DUP;
	if (t->n && !run->r->dry_run)
		id = t->id;
	if (recovered(run, request, &id, err) != 0)
		return -1;
	if (here)
		run->count.here++;
	else
		run->count.admitted++;
	run->count.events += here ? 0 : t->n;
	say_request(run, request, here ? "here" : "admitted", here && t->n ? &t->id : NULL);
	return 0;
}

static int conclude(struct run *run, struct request *request, struct err *err)
{
	static const struct id none;
	switch (request->how) {
	case ADMITTED_EVENTS:
		return append(run, request, err);
	case ADMITTED_NOTHING:
	case ADMITTED_REPLY:
		if (recovered(run, request, &none, err) != 0)
			return -1;
		run->count.nothing++;
		say_request(run, request, "nothing", NULL);
		return 0;
	case ADMITTED_REFUSED:
	case ADMITTED_MALFORMED:
	case ADMITTED_NOT_NOW:
		break;
	}
	run->count.fails++;
	say_request(run, request, "fails", NULL);
	return 0;
}

static int conclude_group(struct run *run, struct err *err)
{
	int rc = find_known(run, err);
	for (size_t i = 0; rc == 0 && i < run->n_requests && !is_over(run); i++)
		rc = conclude(run, &run->requests[i], err);
	arena_reset(&run->arena);
	run->n_requests = run->n_events = run->encoded.n = 0;
	return rc;
}

/* ---- All of them */

static int run_all(struct run *run, struct err *err)
{
	struct journal_record record;
	quarantine_list_fill(&run->list, run->r->journal, run->reader, run->r->source->name, is_over, run);
	for (size_t i = 0; i < run->list.n && !is_over(run); i++) {
		const struct quarantine_place *place = &run->list.v[i];
		struct id event;
		int64_t at_ms;
		int rc = journal_recovered(run->r->journal, &place->id, &event, &at_ms, err);
		if (rc < 0)
			return -1;
		run->count.before += rc == 1;
		if (rc == 1 || !quarantine_list_read(place, run->reader, &record))
			continue;
		look_at(run, &record);
		if ((run->n_requests == GROUP_REQUESTS || run->encoded.n > GROUP_BYTES) &&
		    conclude_group(run, err) != 0)
			return -1;
	}
	if (conclude_group(run, err) != 0)
		return -1;
	if (is_over(run))
		return err_set(err, "interrupted; what was done until then stays done, run it again for the rest");
	say_end(run);
	return 0;
}

int reverify_run(const struct reverify *r, struct err *err)
{
	struct run *run = xcalloc(1, sizeof *run);
	run->r = r;
	call_init(&run->call, CALL_MEMORY);
	call_init(&run->live_call, CALL_MEMORY);
	run->reader = journal_reader_open(r->journal);
	run->instance = instance_create(r->source->plugin, false, r->source->name, r->source->options,
					&r->source->secrets, err);
	int rc = run->instance ? run_all(run, err) : -1;
	if (r->ret_counts)
		*r->ret_counts = run->count;
	instance_destroy(run->instance);
	journal_reader_close(run->reader);
	call_fini(&run->call);
	call_fini(&run->live_call);
	arena_fini(&run->arena);
	buf_free(&run->encoded);
	buf_free(&run->ticket.records);
	buf_free(&run->line);
	tdestroy(run->known, free);
	free(run->events);
	quarantine_list_free(&run->list);
	free(run);
	return rc;
}
