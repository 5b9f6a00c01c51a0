/* request.c - the life of one request: its line, its headers, its body, its answer. Called back by libmicrohttpd on the
 * intake's thread. */
#include "http/request.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "guard/guard.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 100u
#define PLUGIN_MS 1000   /* what verify and parse are told that they have */
#define ANSWER_MS 30000u /* the patience of a provider of whom nothing is known */
#define BODIES_MAX_BYTES ((size_t)256 << 20)
#define SPARE_MAX 1024u
#define SPARE_BYTES_MAX 65536u /* buffers larger than this are not kept */

/* ---- Answering */

static enum MHD_Result answer(struct request *r)
{
	char id[ID_TEXT_SIZE];
	union {
		const char *in;
		void *out;
	} said = { r->said };
	const struct buf *told = &r->ticket.records;
	struct MHD_Response *response =
		r->has_reply ? MHD_create_response_from_buffer(told->n - r->reply_type, told->p + r->reply_type,
							       MHD_RESPMEM_MUST_COPY)
			     : MHD_create_response_from_buffer(strlen(r->said), said.out, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	if (r->reply_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, told->p);
	if (r->status == 503) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "10");
	} else if (r->status == 405) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST");
	} else if (r->status == 200 && r->ticket.n) {
		id_format(&r->ticket.id, id);
		MHD_add_response_header(response, "Patchbay-Event-Id", id);
	}
	if (r->status == 400 || r->status == 413 || atomic_load(&r->intake->stopping))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result result = MHD_queue_response(r->connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	r->state = REQUEST_ANSWERED;
	atomic_fetch_add(&r->intake->stats.answered[r->status / 100 % 6], 1);
	return result;
}

static enum MHD_Result answer_with(struct request *r, int status, const char *said)
{
	r->status = status;
	r->said = said;
	r->ticket.n = 0;
	return answer(r);
}

/* ---- Requests */

static struct request *request_new(struct intake *in)
{
	struct request *r = in->spare;
	if (r) {
		in->spare = (struct request *)r->ticket.next;
		in->n_spare--;
	} else {
		r = xcalloc(1, sizeof *r);
	}
	struct buf query = r->query, body = r->body, records = r->ticket.records;
	*r = (struct request){ .intake = in, .state = REQUEST_READING, .query = query, .body = body };
	r->ticket.records = records;
	r->query.n = r->body.n = r->ticket.records.n = 0;
	r->started_ns = clock_steady_ns();
	r->received_ns = clock_wall_ns();
	return r;
}

void request_destroy(struct request *r)
{
	buf_free(&r->query);
	buf_free(&r->body);
	buf_free(&r->ticket.records);
	pulse_unref(r->pulse);
	free(r);
}

void request_free(struct request *r)
{
	struct intake *in = r->intake;
	in->reserved -= r->reserved;
	pulse_unref(r->pulse);
	r->pulse = NULL;
	if (in->n_spare < SPARE_MAX && r->body.room <= SPARE_BYTES_MAX && r->ticket.records.room <= SPARE_BYTES_MAX) {
		r->ticket.next = (struct journal_ticket *)in->spare;
		in->spare = r;
		in->n_spare++;
		return;
	}
	request_destroy(r);
}

static void stop_waiting(struct request *r)
{
	if (!r->in_waiting)
		return;
	*r->in_waiting = r->next_waiting;
	if (r->next_waiting)
		r->next_waiting->in_waiting = r->in_waiting;
	else
		r->intake->waiting_last = r->in_waiting;
	r->in_waiting = NULL;
	atomic_fetch_sub(&r->intake->stats.waiting, 1);
}

static void start_waiting(struct request *r)
{
	struct intake *in = r->intake;
	r->state = REQUEST_WAITING;
	r->waiting_ns = clock_steady_ns();
	r->next_waiting = NULL;
	r->in_waiting = in->waiting_last;
	*in->waiting_last = r;
	in->waiting_last = &r->next_waiting;
	atomic_fetch_add(&in->stats.waiting, 1);
	MHD_suspend_connection(r->connection);
}

void request_resume(struct request *r)
{
	stop_waiting(r);
	MHD_resume_connection(r->connection);
}

int64_t request_patience_ns(const struct request *r)
{
	return r->ticket.late_ms * NS_PER_MS * 2 / 3;
}

/* Some proxies send the target with scheme and host, as RFC 9112, 3.2.2 lets them. */
static const char *path_of(const char *url)
{
	size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
	const char *path = scheme ? strchr(url + scheme, '/') : url;
	return path ? path : "/";
}

/* POST /in/NAME, or /in/NAME/SECRET. */
static bool find_source(struct request *r, const char *url)
{
	if (strncmp(url, "/in/", 4) != 0)
		return false;
	const char *name = url + 4, *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : strlen(name);
	for (size_t i = 0; i < r->intake->sources->n; i++) {
		struct live *live = r->intake->sources->v[i];
		const struct config_source *s = live->source;
		if (strlen(s->name) == n && memcmp(s->name, name, n) == 0) {
			if (slash && s->path_secret.n == 0)
				return false;
			r->live = live_ref(live);
			r->pulse = pulse_ref(live->pulse);
			r->path_secret = str_c(slash ? slash + 1 : "");
			const patchbay_provider *p = s->plugin->source->provider;
			r->ticket.horizon_s = p ? p->retry_horizon_s : 0;
			r->ticket.late_ms = p && p->answer_ms ? p->answer_ms : ANSWER_MS;
			return true;
		}
	}
	return false;
}

/* All bodies that are being read share a bound: whoever sends them has not proved anything yet. */
static bool reserve(struct request *r, size_t n)
{
	if (n > BODIES_MAX_BYTES - r->intake->reserved) {
		atomic_fetch_add(&r->intake->stats.shed, 1);
		return false;
	}
	r->intake->reserved += n;
	r->reserved += n;
	return true;
}

struct framing {
	unsigned lengths, encodings, hosts;
	bool unknown; /* an encoding other than chunked: nobody can tell where the body ends */
	bool spaced;  /* "Content-Length : 5" is none to libmicrohttpd, and one to some proxies */
};

static enum MHD_Result count_framing(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *f = ctx;
	(void)kind;
	for (const char *p = name; *p; p++)
		f->spaced |= (unsigned char)*p <= ' ';
	f->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
	f->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		f->encodings++;
		f->unknown |= !value || strcasecmp(value, "chunked") != 0;
	}
	return MHD_YES;
}

void *request_on_line(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct request *r = request_new(ctx);
	const char *query = strchr(uri, '?');
	(void)c;
	if (query)
		buf_add(&r->query, query + 1, strlen(query + 1));
	return r;
}

#define READ_ANYWAY (UINT64_C(64) << 20) /* bytes that nobody wants, so that their sender hears that */

/* When the body was read to its end: an answer before that closes the connection, and who still sends may lose it. */
static enum MHD_Result refuse(struct request *r, struct MHD_Connection *c, int status, const char *said)
{
	if (MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT))
		return answer_with(r, status, said); /* nothing was sent yet */
	r->refused_body = status;
	r->said = said;
	return MHD_YES;
}

/* Never the path: what is wrong with it may be one letter of a secret. */
static void say_unknown(void)
{
	static struct log_limit limit;
	log_limited(&limit, LOG_LEVEL_WARNING,
		    "intake: a post to a path that no source has was answered 404; if a provider's events are missing, "
		    "compare the URL that it posts to: /in/NAME, or /in/NAME/SECRET with path_secret");
}

static enum MHD_Result begin(struct request *r, struct MHD_Connection *c, const char *url, const char *method)
{
	struct intake *in = r->intake;
	r->connection = c;
	atomic_fetch_add(&in->stats.requests, 1);
	connection_set_deadline(c, r->started_ns + in->config->limits.request_ms * NS_PER_MS);
	/* Two lengths, or a length and chunks, are how requests are smuggled past a proxy. */
	struct framing framing = { 0 };
	MHD_get_connection_values(c, MHD_HEADER_KIND, count_framing, &framing);
	if (framing.lengths + framing.encodings > 1)
		return answer_with(r, 400, "more than one Content-Length or Transfer-Encoding\n");
	if (framing.hosts > 1 || framing.spaced)
		return answer_with(r, 400, "more than one Host, or a header's name with a space in it\n");
	if (framing.unknown)
		return answer_with(r, 400, "Transfer-Encoding must be chunked\n");
	if (!find_source(r, url)) {
		if (strcmp(method, MHD_HTTP_METHOD_POST) == 0)
			say_unknown();
		return refuse(r, c, 404, "no such source\n");
	}
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return refuse(r, c, 405, "POST only\n");
	r->body_limit = (size_t)in->config->limits.body_bytes;
	const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (length) {
		uint64_t n = strtoull(length, NULL, 10); /* MHD has checked that it is a number */
		if (n > READ_ANYWAY)
			return answer_with(r, 413, "too large\n");
		if (n > r->body_limit)
			return refuse(r, c, 413, "too large\n");
		if (!reserve(r, (size_t)n))
			return answer_with(r, 503, "overloaded, send it again\n");
		buf_grow(&r->body, (size_t)n + 1);
	}
	return MHD_YES;
}

struct headers {
	patchbay_kv *v;
	uint32_t n;
	patchbay_call *call;
};

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n,
				   const char *value, size_t value_n)
{
	struct headers *h = ctx;
	(void)kind;
	if (h->n == HEADERS_MAX)
		return MHD_NO;
	char *lower = arena_alloc(&h->call->arena, name_n + 1);
	if (!lower)
		return MHD_NO;
	for (size_t i = 0; i < name_n; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
	while (value_n && (value[value_n - 1] == ' ' || value[value_n - 1] == '\t'))
		value_n--;
	h->v[h->n++] = (patchbay_kv){ { lower, name_n }, { value ? value : "", value_n } };
	return MHD_YES;
}

/* The request is whole. */
static enum MHD_Result admit(struct request *r, const char *url, const char *method)
{
	struct intake *in = r->intake;
	if (r->refused_body)
		return answer_with(r, r->refused_body, r->said);
	if (atomic_load(&in->stopping)) {
		atomic_fetch_add(&in->stats.shed, 1);
		return answer_with(r, 503, "shutting down, send it again\n");
	}
	/* The journal has kept somebody waiting for long: do not queue up behind, or answers come late for all. */
	if (in->waiting && clock_steady_ns() - in->waiting->waiting_ns > request_patience_ns(r) / 2) {
		atomic_fetch_add(&in->stats.shed, 1);
		return answer_with(r, 503, "overloaded, send it again\n");
	}
	call_begin(&in->call, PLUGIN_MS);
	patchbay_kv header_room[HEADERS_MAX];
	struct headers headers = { header_room, 0, &in->call };
	if (MHD_get_connection_values(r->connection, MHD_HEADER_KIND, NULL, NULL) > (int)HEADERS_MAX)
		return answer_with(r, 431, "too many headers\n");
	MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, take_header, &headers);
	char client[64];
	patchbay_request request = {
		.size = sizeof request,
		.n_headers = headers.n,
		.headers = headers.v,
		.method = str_c(method),
		.path = { url, strlen(url) - r->path_secret.n },
		.query = buf_str(&r->query),
		.body = buf_str(&r->body),
		.received_ns = r->received_ns,
	};
	const union MHD_ConnectionInfo *peer =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	client_address(in->config, peer ? peer->client_addr : NULL, &request, client);
	bool to_journal = request_admit(r, &request);
	live_unref(r->live);
	r->live = NULL;
	if (!to_journal) {
		r->ticket.n = 0;
		return answer(r);
	}
	r->ticket_out = true;
	r->ticket.next = NULL;
	*in->to_submit_last = &r->ticket;
	in->to_submit_last = &r->ticket.next;
	in->n_to_submit++;
	start_waiting(r);
	return MHD_YES;
}

/* What is refused is read to its end all the same, and forgotten: only then can the answer go out. */
static void take_body(struct request *r, const char *data, size_t n)
{
	size_t all = r->body.n + n;
	if (!r->refused_body && all > r->body_limit) {
		r->refused_body = 413;
		r->said = "too large\n";
	} else if (!r->refused_body && all > r->reserved && !reserve(r, all - r->reserved)) {
		r->refused_body = 503;
		r->said = "overloaded, send it again\n";
	}
	if (r->refused_body)
		r->body.n = 0;
	else
		buf_add(&r->body, data, n);
}

enum MHD_Result request_on_data(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
				const char *version, const char *data, size_t *data_size, void **request)
{
	struct request *r = *request;
	(void)version;
	(void)ctx;
	guard_beat(GUARD_INTAKE); /* many posts may be verified between two turns of the loop */
	if (!r->connection)
		return begin(r, c, path_of(url), method);
	if (*data_size) {
		size_t n = *data_size;
		*data_size = 0;
		if (r->state == REQUEST_ANSWERED)
			return MHD_YES;
		take_body(r, data, n);
		return MHD_YES;
	}
	switch (r->state) {
	case REQUEST_READING:
		return admit(r, path_of(url), method);
	case REQUEST_WAITING: /* resumed */
		if (r->timed_out)
			return answer_with(r, 503, "the journal is slow, send it again\n");
		r->peer_closed = r->noted && connection_is_closed(c);
		return answer(r);
	default:
		return MHD_YES;
	}
}

static bool answer_arrived(const struct request *r, struct MHD_Connection *c, enum MHD_RequestTerminationCode how)
{
	if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK || r->status != 200)
		return false;
	if (clock_steady_ns() - r->started_ns > r->ticket.late_ms * NS_PER_MS)
		return false;
	return connection_has_delivered(c, r->peer_closed);
}

void request_on_completed(void *ctx, struct MHD_Connection *c, void **request, enum MHD_RequestTerminationCode how)
{
	struct intake *in = ctx;
	struct request *r = *request;
	connection_set_deadline(c, clock_steady_ns() + REQUEST_IDLE_S * NS_PER_S +
					   in->config->limits.request_ms * NS_PER_MS);
	*request = NULL;
	if (!r)
		return;
	if (r->noted && !answer_arrived(r, c, how))
		journal_answer_failed(in->journal, &r->ticket);
	stop_waiting(r);
	live_unref(r->live);
	r->live = NULL;
	r->connection = NULL;
	if (!r->ticket_out)
		request_free(r);
}

/* ---- Back from the journal */

/* An answer that counts goes out only after a note of that is durable. True: the ticket is with the journal once more.
 */
static bool note_answer(struct request *r)
{
	bool stored = r->outcome == JOURNAL_FRESH || r->outcome == JOURNAL_DUP;
	if (!r->ticket.unanswered || !stored)
		return false;
	r->answering = r->ticket_out = journal_answering(r->intake->journal, &r->ticket);
	if (!r->answering)
		r->outcome = JOURNAL_UNAVAILABLE;
	return r->answering;
}

void request_take_back(struct request *r)
{
	r->ticket_out = false;
	if (r->answering) {
		r->noted = r->ticket.outcome != JOURNAL_UNAVAILABLE;
		if (!r->noted)
			r->outcome = JOURNAL_UNAVAILABLE;
		else if (!r->connection || r->timed_out)
			journal_answer_failed(r->intake->journal, &r->ticket);
	} else {
		r->outcome = r->ticket.outcome;
		request_count(r);
	}
	if (!r->connection) { /* the provider went away meanwhile */
		request_free(r);
		return;
	}
	if (r->timed_out || (!r->answering && note_answer(r)))
		return;
	request_conclude(r);
	request_resume(r);
}
