/* server.c - libmicrohttpd, driven by an epoll loop of our own: with its internal loop, exactly 128 ready connections stall
 * it (README.md of this folder). This is the only file that includes microhttpd.h on the intake side. */
#include "http/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <microhttpd.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/sockios.h>
#include <unistd.h>

#define TICK_MS 250             /* an external loop must call MHD_run now and then */
#define IDLE_S 30u              /* keep-alive connections without a request */
#define CONNECTION_POOL 16384u  /* bounds the headers, too; larger pools cost speed */
#define SPARE_MAX 1024u
#define SPARE_BYTES_MAX 65536u  /* buffers larger than this are not kept */
#define HEADERS_MAX 100u
#define STOP_MS 5000

/* ---- Answering */

static enum MHD_Result answer(struct request *r)
{
	char id[ID_TEXT_SIZE];
	union {
		const char *in;
		void *out;
	} said = { r->said };
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(r->said), said.out, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
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

static void request_destroy(struct request *r)
{
	buf_free(&r->query);
	buf_free(&r->body);
	buf_free(&r->ticket.records);
	free(r);
}

static void request_free(struct request *r)
{
	struct intake *in = r->intake;
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

/* How long the provider may be left waiting for the journal: well inside its own patience. */
static int64_t patience_ns(const struct request *r)
{
	return r->ticket.late_ms * NS_PER_MS * 2 / 3;
}

/* POST /in/NAME, or /in/NAME/SECRET. */
static bool find_source(struct request *r, const char *url)
{
	if (strncmp(url, "/in/", 4) != 0)
		return false;
	const char *name = url + 4, *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : strlen(name);
	for (size_t i = 0; i < r->intake->config->n_sources; i++) {
		const struct config_source *s = &r->intake->config->sources[i];
		if (strlen(s->name) == n && memcmp(s->name, name, n) == 0) {
			r->source = s;
			r->instance = r->intake->sources[i];
			r->path_secret = str_c(slash ? slash + 1 : "");
			return true;
		}
	}
	return false;
}

struct framing {
	unsigned lengths, encodings;
};

static enum MHD_Result count_framing(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *f = ctx;
	(void)kind;
	(void)value;
	f->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
	f->encodings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	return MHD_YES;
}

/* Called with the request line's target, before the headers are read; what it returns becomes the request's context. */
static void *on_request_line(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct request *r = request_new(ctx);
	const char *query = strchr(uri, '?');
	(void)c;
	if (query)
		buf_add(&r->query, query + 1, strlen(query + 1));
	return r;
}

static enum MHD_Result begin(struct request *r, struct MHD_Connection *c, const char *url, const char *method)
{
	struct intake *in = r->intake;
	r->connection = c;
	atomic_fetch_add(&in->stats.requests, 1);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *connection = info ? info->socket_context : NULL;
	if (connection)
		connection->deadline_ns = r->started_ns + in->config->limits.request_ms * NS_PER_MS;
	/* Two lengths, or a length and chunks, are how requests are smuggled past a proxy. */
	struct framing framing = { 0 };
	MHD_get_connection_values(c, MHD_HEADER_KIND, count_framing, &framing);
	if (framing.lengths + framing.encodings > 1)
		return answer_with(r, 400, "more than one Content-Length or Transfer-Encoding\n");
	if (!find_source(r, url))
		return answer_with(r, 404, "no such source\n");
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return answer_with(r, 405, "POST only\n");
	r->body_limit = (size_t)in->config->limits.body_bytes;
	const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (length) {
		uint64_t n = strtoull(length, NULL, 10); /* MHD has checked that it is a number */
		if (n > r->body_limit)
			return answer_with(r, 413, "too large\n");
		buf_grow(&r->body, (size_t)n + 1);
	}
	return MHD_YES;
}

struct headers {
	patchbay_kv *v;
	uint32_t n;
	patchbay_call *call;
};

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value, size_t value_n)
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
	if (r->too_large)
		return answer_with(r, 413, "too large\n");
	if (atomic_load(&in->stopping)) {
		atomic_fetch_add(&in->stats.shed, 1);
		return answer_with(r, 503, "shutting down, send it again\n");
	}
	/* The journal has kept somebody waiting for long: do not queue up behind, or answers come late for all. */
	if (in->waiting && clock_steady_ns() - in->waiting->waiting_ns > patience_ns(in->waiting) / 2) {
		atomic_fetch_add(&in->stats.shed, 1);
		return answer_with(r, 503, "overloaded, send it again\n");
	}
	call_begin(&in->call, 0);
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
	const union MHD_ConnectionInfo *peer = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	client_address(in->config, peer ? peer->client_addr : NULL, &request, client);
	bool to_journal = request_admit(r, &request);
	if (!to_journal) {
		r->ticket.n = 0;
		return answer(r);
	}
	r->ticket_out = true;
	r->ticket.next = NULL;
	*in->to_submit_last = &r->ticket;
	in->to_submit_last = &r->ticket.next;
	start_waiting(r);
	return MHD_YES;
}

static bool peer_is_gone(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	char byte;
	ssize_t n = info ? recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) : 0;
	return n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *data, size_t *data_size, void **request)
{
	struct request *r = *request;
	(void)version;
	(void)ctx;
	if (!r->connection)
		return begin(r, c, url, method);
	if (*data_size) {
		size_t n = *data_size;
		*data_size = 0;
		if (r->state == REQUEST_ANSWERED)
			return MHD_YES;
		if (r->too_large || n > r->body_limit - r->body.n) {
			r->too_large = true;
			r->body.n = 0;
			return MHD_YES;
		}
		buf_add(&r->body, data, n);
		return MHD_YES;
	}
	switch (r->state) {
	case REQUEST_READING:
		return admit(r, url, method);
	case REQUEST_WAITING: /* resumed */
		if (r->timed_out)
			return answer_with(r, 503, "the journal is slow, send it again\n");
		r->peer_closed = r->noted && peer_is_gone(c);
		return answer(r);
	default:
		return MHD_YES;
	}
}

/* Did the answer arrive? A reset shows at once on this machine; over a network, a peer that had closed before the answer went out is
 * taken as gone while bytes are not acknowledged. */
static bool answer_arrived(const struct request *r, struct MHD_Connection *c, enum MHD_RequestTerminationCode how)
{
	if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK || r->status != 200)
		return false;
	if (clock_steady_ns() - r->started_ns > r->ticket.late_ms * NS_PER_MS)
		return false;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info)
		return false;
	struct pollfd p = { .fd = info->connect_fd };
	if (poll(&p, 1, 0) == 1 && p.revents & (POLLERR | POLLHUP))
		return false;
	int unacknowledged = 0;
	return !r->peer_closed || (ioctl(info->connect_fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **request, enum MHD_RequestTerminationCode how)
{
	struct intake *in = ctx;
	struct request *r = *request;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *connection = info ? info->socket_context : NULL;
	if (connection)
		connection->deadline_ns = clock_steady_ns() + IDLE_S * NS_PER_S + in->config->limits.request_ms * NS_PER_MS;
	*request = NULL;
	if (!r)
		return;
	if (r->noted && !answer_arrived(r, c, how))
		journal_answer_failed(in->journal, &r->ticket);
	stop_waiting(r);
	r->connection = NULL;
	if (!r->ticket_out)
		request_free(r);
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	struct intake *in = ctx;
	struct connection *connection = *socket_context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = xcalloc(1, sizeof *connection);
		connection->mhd = c;
		connection->deadline_ns = clock_steady_ns() + in->config->limits.request_ms * NS_PER_MS;
		connection->next = in->connections;
		if (connection->next)
			connection->next->in = &connection->next;
		connection->in = &in->connections;
		in->connections = connection;
		*socket_context = connection;
		atomic_fetch_add(&in->stats.connections, 1);
	} else if (connection) {
		*connection->in = connection->next;
		if (connection->next)
			connection->next->in = connection->in;
		free(connection);
		*socket_context = NULL;
		atomic_fetch_sub(&in->stats.connections, 1);
	}
}

/* ---- The loop */

void intake_decided(void *ctx, struct journal_ticket *list)
{
	struct intake *in = ctx;
	struct journal_ticket *last = list;
	while (last->next)
		last = last->next;
	pthread_mutex_lock(&in->decided.lock);
	bool ring = !in->decided.first;
	*in->decided.last = list;
	in->decided.last = &last->next;
	pthread_mutex_unlock(&in->decided.lock);
	if (ring && eventfd_write(in->bell, 1) == -1)
		log_error("intake: cannot wake up: %s", strerror(errno));
}

static void resume(struct request *r)
{
	stop_waiting(r);
	MHD_resume_connection(r->connection);
}

/* An answer that counts goes out only after a note of that is durable. True: the ticket is with the journal once more. */
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

static void take_back(struct request *r)
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
	}
	if (!r->connection) { /* the provider went away meanwhile */
		request_free(r);
		return;
	}
	if (r->timed_out || (!r->answering && note_answer(r)))
		return;
	request_conclude(r);
	resume(r);
}

static void take_decided(struct intake *in)
{
	pthread_mutex_lock(&in->decided.lock);
	struct journal_ticket *t = in->decided.first;
	in->decided.first = NULL;
	in->decided.last = &in->decided.first;
	pthread_mutex_unlock(&in->decided.lock);
	for (struct journal_ticket *next; t; t = next) {
		next = t->next;
		take_back((struct request *)t);
	}
}

static void submit(struct intake *in)
{
	struct journal_ticket *list = in->to_submit;
	in->to_submit = NULL;
	in->to_submit_last = &in->to_submit;
	if (!list || journal_append(in->journal, list))
		return;
	for (struct journal_ticket *t = list, *next; t; t = next) {
		struct request *r = (struct request *)t;
		next = t->next;
		r->ticket_out = false;
		atomic_fetch_add(&in->stats.shed, 1);
		if (!r->connection) {
			request_free(r);
			continue;
		}
		r->outcome = JOURNAL_UNAVAILABLE;
		request_conclude(r);
		resume(r);
	}
}

static void answer_overdue(struct intake *in, bool all)
{
	int64_t now = clock_steady_ns();
	while (in->waiting && (all || now - in->waiting->waiting_ns > patience_ns(in->waiting))) {
		struct request *r = in->waiting;
		r->timed_out = true;
		atomic_fetch_add(&in->stats.shed, 1);
		resume(r);
	}
}

/* MHD's own time-out is about silence: a client that drips a byte now and then is never cut off by it. */
static void cut_off_slow(struct intake *in)
{
	int64_t now = clock_steady_ns();
	for (struct connection *c = in->connections; c; c = c->next) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);
		if (now < c->deadline_ns || (info && info->suspended))
			continue;
		info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}

static void *intake_main(void *ctx)
{
	struct intake *in = ctx;
	struct pollfd *fds = xcalloc(in->n_listeners + 1, sizeof *fds);
	for (size_t i = 0; i < in->n_listeners; i++)
		fds[i] = (struct pollfd){ .fd = in->listeners[i].epoll_fd, .events = POLLIN };
	fds[in->n_listeners] = (struct pollfd){ .fd = in->bell, .events = POLLIN };
	int64_t next_tick = 0, stop_by = 0;
	for (;;) {
		int timeout = TICK_MS;
		for (size_t i = 0; i < in->n_listeners; i++) {
			MHD_UNSIGNED_LONG_LONG ms;
			if (MHD_get_timeout(in->listeners[i].daemon, &ms) == MHD_YES && ms < (unsigned)timeout)
				timeout = (int)ms;
		}
		if (poll(fds, in->n_listeners + 1, timeout) == -1 && errno != EINTR)
			log_error("intake: poll: %s", strerror(errno));
		if (fds[in->n_listeners].revents) {
			eventfd_t rung;
			eventfd_read(in->bell, &rung);
			take_decided(in);
		}
		for (size_t i = 0; i < in->n_listeners; i++)
			MHD_run(in->listeners[i].daemon);
		submit(in);
		int64_t now = clock_steady_ns();
		if (now >= next_tick) {
			answer_overdue(in, false);
			cut_off_slow(in);
			next_tick = now + TICK_MS * NS_PER_MS;
		}
		if (!atomic_load(&in->stopping))
			continue;
		if (stop_by == 0) {
			stop_by = now + STOP_MS * NS_PER_MS;
			for (size_t i = 0; i < in->n_listeners; i++)
				MHD_quiesce_daemon(in->listeners[i].daemon);
		}
		if (now >= stop_by)
			answer_overdue(in, true);
		if (!in->waiting && !in->to_submit)
			break;
	}
	for (size_t i = 0; i < in->n_listeners; i++)
		MHD_run(in->listeners[i].daemon); /* lets go what was answered last */
	free(fds);
	return NULL;
}

/* ---- Life */

static void log_mhd(void *ctx, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void log_mhd(void *ctx, const char *fmt, va_list ap)
{
	static struct log_limit limit;
	char line[512];
	(void)ctx;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_limited(&limit, LOG_LEVEL_DEBUG, "http: %s", line);
}

struct intake *intake_create(const struct config *config, struct instance *const *sources, struct err *err)
{
	struct intake *in = xcalloc(1, sizeof *in);
	in->config = config;
	in->sources = sources;
	in->to_submit_last = &in->to_submit;
	in->waiting_last = &in->waiting;
	in->decided.last = &in->decided.first;
	pthread_mutex_init(&in->decided.lock, NULL);
	call_init(&in->call, (size_t)config->limits.body_bytes * 8 + (1u << 20));
	in->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	in->n_listeners = config->n_listen;
	in->listeners = xcalloc(config->n_listen, sizeof *in->listeners);
	for (size_t i = 0; i < in->n_listeners; i++)
		in->listeners[i].listen_fd = -1;
	for (size_t i = 0; i < in->n_listeners; i++) {
		if (listener_open(&in->listeners[i], &config->listen[i], err) != 0) {
			intake_destroy(in);
			return NULL;
		}
	}
	return in;
}

static int start_daemon(struct intake *in, struct listener *l, struct err *err)
{
	const struct config *c = in->config;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, in, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
	                             MHD_OPTION_LISTEN_SOCKET, l->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->limits.connections,
	                             MHD_OPTION_PER_IP_CONNECTION_LIMIT, l->unix_socket ? 0u : (unsigned)c->limits.connections_per_address,
	                             MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_POOL,
	                             MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, in, MHD_OPTION_NOTIFY_COMPLETED, on_completed, in,
	                             MHD_OPTION_NOTIFY_CONNECTION, on_connection, in, MHD_OPTION_END);
	if (!l->daemon)
		return err_set(err, "libmicrohttpd cannot serve %s: %s", l->address, strerror(errno));
	l->epoll_fd = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return 0;
}

int intake_start(struct intake *in, struct journal *journal, struct err *err)
{
	in->journal = journal;
	for (size_t i = 0; i < in->n_listeners; i++)
		if (start_daemon(in, &in->listeners[i], err) != 0)
			return -1;
	if (pthread_create(&in->thread, NULL, intake_main, in) != 0)
		return err_set(err, "cannot start the intake's thread");
	pthread_setname_np(in->thread, "intake");
	in->runs = true;
	return 0;
}

void intake_stop(struct intake *in)
{
	if (!in || !in->runs)
		return;
	atomic_store(&in->stopping, true);
	eventfd_write(in->bell, 1);
	pthread_join(in->thread, NULL);
	in->runs = false;
	for (size_t i = 0; i < in->n_listeners; i++) {
		MHD_stop_daemon(in->listeners[i].daemon);
		in->listeners[i].daemon = NULL;
	}
}

void intake_destroy(struct intake *in)
{
	if (!in)
		return;
	intake_stop(in);
	take_decided(in);
	for (size_t i = 0; i < in->n_listeners; i++) {
		if (in->listeners[i].daemon)
			MHD_stop_daemon(in->listeners[i].daemon);
		listener_close(&in->listeners[i]);
	}
	while (in->spare) {
		struct request *r = in->spare;
		in->spare = (struct request *)r->ticket.next;
		request_destroy(r);
	}
	call_fini(&in->call);
	close(in->bell);
	pthread_mutex_destroy(&in->decided.lock);
	free(in->listeners);
	free(in);
}

const char *intake_address(const struct intake *in, size_t i)
{
	return i < in->n_listeners ? in->listeners[i].address : NULL;
}

void intake_stats(const struct intake *in, struct intake_stats *ret)
{
	*ret = (struct intake_stats){ .requests = in->stats.requests,
		                      .connections = in->stats.connections,
		                      .waiting = in->stats.waiting,
		                      .shed = in->stats.shed };
	for (size_t i = 0; i < 6; i++)
		ret->answered[i] = in->stats.answered[i];
}
