/* admit.c - from a whole request to a ticket for the journal: the source's plugin verifies the raw bytes and parses
 * them, each event becomes a record. Nothing here waits. */
#include "http/internal.h"

#include "base/clock.h"
#include "plugin/services.h"

#include <string.h>

#define EVENTS_MAX 10000u
#define NAME_MAX_BYTES 255u /* type, kind */
#define SUBJECT_MAX_BYTES 512u
#define KEY_MAX_BYTES 512u /* longer ones are hashed */

static bool answer_now(struct request *r, int status, const char *said)
{
	r->status = status;
	r->said = said;
	return false;
}

static struct journal_record record_of(const struct request *r, const patchbay_request *in, uint8_t kind)
{
	return (struct journal_record){
		.id = id_new(r->received_ns),
		.kind = kind,
		.received_ns = r->received_ns,
		.source = str_c(r->source->name),
		.plugin = str_c(r->source->plugin->name),
		.client = in->client,
		.note = r->intake->call.why,
	};
}

/* ---- Quarantine */

static bool keeps_a_secret(patchbay_str header)
{
	return str_is(header, "authorization") || str_is(header, "proxy-authorization") || str_is(header, "cookie");
}

/* What it takes to verify the request again, without the secrets that a header or the path may hold. */
static void quarantine(struct request *r, const patchbay_request *in, uint8_t kind, patchbay_str why)
{
	struct buf text = { 0 };
	buf_addf(&text, "%.*s /in/%s", STR_ARG(in->method), r->source->name);
	if (in->query.n)
		buf_addf(&text, "?%.*s", STR_ARG(in->query));
	buf_add(&text, "\n", 1);
	for (uint32_t i = 0; i < in->n_headers; i++)
		if (!keeps_a_secret(in->headers[i].key))
			buf_addf(&text, "%.*s: %.*s\n", STR_ARG(in->headers[i].key), STR_ARG(in->headers[i].value));
	struct journal_record record = record_of(r, in, kind);
	record.dedupe = PATCHBAY_DEDUPE_NONE;
	record.note = why.n ? why : STR("the plugin gave no reason");
	record.request = buf_str(&text);
	record.data = in->body;
	r->ticket.records.n = 0;
	journal_encode(&r->ticket.records, &record);
	r->ticket.n = 1;
	buf_free(&text);
}

/* ---- Events */

struct emission {
	struct request *request;
	const patchbay_request *in;
	const char *fault;
};

static patchbay_str hashed(patchbay_call *call, patchbay_str text)
{
	return crypto_service.sha256_hex(call, text);
}

static patchbay_status emit(void *ctx, const patchbay_event *given)
{
	struct emission *e = ctx;
	struct request *r = e->request;
	patchbay_call *call = &r->intake->call;
	patchbay_event event = { 0 };
	memcpy(&event, given, given->size < sizeof event ? given->size : sizeof event);
	if (r->ticket.n == EVENTS_MAX) {
		e->fault = "more than 10000 events in one request";
		return PATCHBAY_ENOMEM;
	}
	if (event.type.n == 0 || event.type.n > NAME_MAX_BYTES || event.kind.n > NAME_MAX_BYTES) {
		e->fault = "the event's type is empty or longer than 255 bytes";
		return PATCHBAY_ENOMEM;
	}
	struct journal_record record = record_of(r, e->in, JOURNAL_EVENT);
	record.dedupe = event.dedupe <= PATCHBAY_DEDUPE_NONE ? (uint8_t)event.dedupe : PATCHBAY_DEDUPE_KEY;
	record.flags = (uint8_t)((event.flags & PATCHBAY_EVENT_TEST ? JOURNAL_FLAG_TEST : 0) |
				 (event.type_is_guess ? JOURNAL_FLAG_TYPE_GUESS : 0));
	record.time_ns = event.time_ns;
	record.type = event.type;
	record.kind_name = event.kind.n ? event.kind : event.type;
	record.subject = event.subject;
	if (record.subject.n > SUBJECT_MAX_BYTES)
		record.subject.n = SUBJECT_MAX_BYTES;
	record.key = event.key.n == 0              ? hashed(call, event.data)
		     : event.key.n > KEY_MAX_BYTES ? hashed(call, event.key)
						   : event.key;
	record.token = event.token.n > KEY_MAX_BYTES ? hashed(call, event.token) : event.token;
	record.data = event.data;
	journal_encode(&r->ticket.records, &record);
	r->ticket.n++;
	return PATCHBAY_OK;
}

static bool admit_events(struct request *r, const patchbay_request *in)
{
	const patchbay_source *side = r->source->plugin->source;
	patchbay_call *call = &r->intake->call;
	struct emission emission = { .request = r, .in = in };
	const patchbay_emitter emitter = { &emission, emit };
	if (call->why.n == 0)
		call->why = STR("verified by the plugin");
	patchbay_str proof = call->why; /* every record's note */
	patchbay_status status = side->parse(instance_self(r->instance), call, in, &emitter);
	if (emission.fault)
		quarantine(r, in, JOURNAL_MALFORMED, str_c(emission.fault));
	else if (status != PATCHBAY_OK)
		quarantine(r, in, JOURNAL_MALFORMED, call->why.p == proof.p ? STR("") : call->why);
	else if (r->ticket.n == 0)
		return answer_now(r, 200, "nothing to do\n");
	return true;
}

static bool path_secret_is_right(const struct request *r)
{
	const patchbay_strs *secrets = &r->source->path_secret;
	bool right = secrets->n == 0 && r->path_secret.n == 0;
	for (size_t i = 0; i < secrets->n; i++)
		right |= crypto_service.equal(secrets->v[i], r->path_secret);
	return right;
}

/* The plugin's own answer, a handshake say. It may point into the request, so it is copied, into the records that are
 * not needed. */
static bool answer_as_told(struct request *r, const patchbay_reply *reply)
{
	struct buf *own = &r->ticket.records;
	bool status_is_good = reply->http_status >= 200 && reply->http_status < 600;
	own->n = 0;
	if (reply->content_type.n) {
		buf_add_str(own, reply->content_type);
		buf_add(own, "", 1);
		r->reply_type = own->n;
	}
	buf_add_str(own, reply->body);
	r->has_reply = reply->body.n || reply->content_type.n;
	return answer_now(r, status_is_good ? reply->http_status : 200, "ok\n");
}

bool request_admit(struct request *r, const patchbay_request *in)
{
	const patchbay_source *side = r->source->plugin->source;
	patchbay_call *call = &r->intake->call;
	r->ticket.n = 0;
	r->ticket.records.n = 0;
	r->status = 0;
	if (!path_secret_is_right(r)) {
		quarantine(r, in, JOURNAL_REFUSED, STR("the secret part of the URL (path_secret) is missing or wrong"));
		r->status = 403;
		r->said = "not authentic\n";
		return true;
	}
	patchbay_reply reply = { .size = sizeof reply };
	patchbay_status status = side->verify(instance_self(r->instance), call, in, &reply);
	if (status == PATCHBAY_REPLY)
		return answer_as_told(r, &reply);
	if (status != PATCHBAY_OK) {
		quarantine(r, in, JOURNAL_REFUSED, call->why);
		r->status = 403;
		r->said = "not authentic\n";
		return true;
	}
	return admit_events(r, in);
}

void request_conclude(struct request *r)
{
	switch (r->outcome) {
	case JOURNAL_UNAVAILABLE:
		r->status = 503;
		r->said = "not stored, send it again\n";
		break;
	case JOURNAL_REPLAYED:
		r->status = 403;
		r->said = "replayed\n";
		break;
	case JOURNAL_FRESH:
	case JOURNAL_DUP:
		if (r->status == 0) {
			r->status = 200;
			r->said = "ok\n";
		}
		break;
	}
}
