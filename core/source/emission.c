/* emission.c - see emission.h. */
#include "source/emission.h"

#include "base/sized.h"
#include "plugin/ability.h"
#include "plugin/services.h"

#include <patchbay/fetch.h>

#define EVENTS_MAX 10000u
#define NAME_MAX_BYTES 255u /* type, kind */
#define SUBJECT_MAX_BYTES 512u
#define KEY_MAX_BYTES 512u /* longer ones are hashed */
#define EVENT_1_0 SIZED_END(patchbay_event, time_ns)

static bool enriches(const struct config_source *source)
{
	patchbay_enrich ability;
	return ABILITY_GET(source->plugin->source, PATCHBAY_ENRICH, &ability, enrich);
}

static uint8_t flags_of(const struct emission *e, const patchbay_event *event)
{
	uint8_t flags = 0;
	if (event->flags & PATCHBAY_EVENT_TEST)
		flags |= JOURNAL_FLAG_TEST;
	if (event->flags & PATCHBAY_EVENT_TYPE_GUESSED)
		flags |= JOURNAL_FLAG_TYPE_GUESS;
	if (event->flags & PATCHBAY_EVENT_ENRICH && enriches(e->source))
		flags |= JOURNAL_FLAG_HELD;
	return flags;
}

static patchbay_str key_of(patchbay_call *call, const patchbay_event *event)
{
	if (event->key.n == 0)
		return crypto_service.sha256_hex(call, event->data);
	return event->key.n > KEY_MAX_BYTES ? crypto_service.sha256_hex(call, event->key) : event->key;
}

static patchbay_status emit(void *ctx, const patchbay_event *given)
{
	struct emission *e = ctx;
	patchbay_event event;
	if (!sized_has(given, EVENT_1_0)) {
		e->fault = "the event's size is not that of any patchbay_event; its plugin must set .size";
		return PATCHBAY_ENOMEM;
	}
	sized_read(&event, sizeof event, given);
	if (e->n == EVENTS_MAX) {
		e->fault = "more than 10000 events in one request";
		return PATCHBAY_ENOMEM;
	}
	if (event.type.n == 0 || event.type.n > NAME_MAX_BYTES || event.kind.n > NAME_MAX_BYTES) {
		e->fault = "the event's type is empty or longer than 255 bytes";
		return PATCHBAY_ENOMEM;
	}
	struct journal_record record = {
		.id = id_new(e->received_ns),
		.kind = JOURNAL_EVENT,
		.dedupe = event.dedupe <= PATCHBAY_DEDUPE_NONE ? (uint8_t)event.dedupe : PATCHBAY_DEDUPE_KEY,
		.flags = flags_of(e, &event),
		.received_ns = e->received_ns,
		.time_ns = event.time_ns,
		.source = str_c(e->source->name),
		.plugin = str_c(e->source->plugin->name),
		.type = event.type,
		.kind_name = event.kind.n ? event.kind : event.type,
		.subject = { event.subject.p,
			     event.subject.n < SUBJECT_MAX_BYTES ? event.subject.n : SUBJECT_MAX_BYTES },
		.key = key_of(e->call, &event),
		.token = event.token.n > KEY_MAX_BYTES ? crypto_service.sha256_hex(e->call, event.token) : event.token,
		.client = e->client,
		.note = e->note,
		.data = event.data,
	};
	if (e->take) {
		e->take(e->ctx, &record);
	} else {
		journal_encode(&e->ticket->records, &record);
		e->ticket->n++;
	}
	e->n++;
	return PATCHBAY_OK;
}

patchbay_emitter emission_emitter(struct emission *e)
{
	return (patchbay_emitter){ e, emit };
}
