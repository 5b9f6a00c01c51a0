/* server.c - libmicrohttpd, driven by an epoll loop of our own: with its internal loop, exactly 128 ready connections
 * stall it (README.md of this folder). */
#include "http/request.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "guard/guard.h"
#include "tls/certificate.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TICK_MS 250           /* an external loop must call MHD_run now and then */
#define CONNECTION_POOL 8192u /* bounds the headers, too; cleared at every request, so larger ones cost speed */
#define STOP_MS 5000
#define GATHER_MAX 32u
#define GATHER_NS (2 * NS_PER_MS) /* however much is ready */

/* ---- The loop */

/* Of one verify and parse. */
static size_t call_memory(const struct config *config)
{
	return (size_t)config->limits.body_bytes * 8 + (1u << 20);
}

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
	static struct log_limit limit;
	if (ring && eventfd_write(in->bell, 1) == -1)
		log_limited(&limit, LOG_LEVEL_ERROR, "intake: cannot wake up: %s", strerror(errno));
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
		request_take_back((struct request *)t);
	}
}

static void submit(struct intake *in)
{
	struct journal_ticket *list = in->to_submit;
	in->to_submit = NULL;
	in->to_submit_last = &in->to_submit;
	in->n_to_submit = 0;
	if (!list || journal_append(in->journal, list))
		return;
	for (struct journal_ticket *t = list, *next; t; t = next) {
		struct request *r = (struct request *)t;
		next = t->next;
		r->ticket_out = false;
		r->outcome = JOURNAL_UNAVAILABLE;
		request_count(r);
		atomic_fetch_add(&in->stats.shed, 1);
		if (!r->connection) {
			request_free(r);
			continue;
		}
		request_conclude(r);
		request_resume(r);
	}
}

static void answer_overdue(struct intake *in, bool all)
{
	int64_t now = clock_steady_ns();
	/* all of them: not every provider is as patient as the one that waits longest */
	for (struct request *r = in->waiting, *next; r; r = next) {
		next = r->next_waiting;
		if (!all && now - r->waiting_ns <= request_patience_ns(r))
			continue;
		r->timed_out = true;
		atomic_fetch_add(&in->stats.shed, 1);
		request_resume(r);
	}
}

/* Between two steps of MHD, so no request is in the middle of a call. */
static void take_next(struct intake *in)
{
	pthread_mutex_lock(&in->next.lock);
	if (in->next.sources) {
		in->sources = in->next.sources;
		in->config = in->sources->generation->config;
		in->next.sources = NULL;
		call_fini(&in->call);
		call_init(&in->call, call_memory(in->config));
		tls_take(in, in->config);
		pthread_cond_signal(&in->next.taken);
	}
	pthread_mutex_unlock(&in->next.lock);
}

void intake_reload(struct intake *in, const struct live_set *sources)
{
	pthread_mutex_lock(&in->next.lock);
	in->next.sources = sources;
	eventfd_write(in->bell, 1);
	while (in->next.sources)
		pthread_cond_wait(&in->next.taken, &in->next.lock);
	pthread_mutex_unlock(&in->next.lock);
}

/* True: something is ready. Does not block while posts are gathered for the journal. */
static bool wait_for_work(struct intake *in, struct pollfd *fds)
{
	int timeout = in->to_submit ? 0 : TICK_MS;
	for (size_t i = 0; i < in->n_listeners; i++) {
		MHD_UNSIGNED_LONG_LONG ms;
		if (MHD_get_timeout(in->listeners[i].daemon, &ms) == MHD_YES && ms < (unsigned)timeout)
			timeout = (int)ms;
	}
	static struct log_limit limit;
	int n = poll(fds, in->n_listeners + 2, timeout);
	if (n == -1 && errno != EINTR)
		log_limited(&limit, LOG_LEVEL_ERROR, "intake: poll: %s", strerror(errno));
	return n > 0;
}

/* A commit costs the same for one post as for thirty. So as long as more posts are ready to be read, up to half of what
 * may come are gathered for one; the other half is on its way, or being answered, meanwhile. */
static bool gathered_enough(const struct intake *in)
{
	uint64_t half = atomic_load_explicit(&in->stats.connections, memory_order_relaxed) / 2;
	if (in->n_to_submit >= (half < GATHER_MAX ? half : GATHER_MAX))
		return true;
	return in->to_submit && clock_steady_ns() - ((const struct request *)in->to_submit)->waiting_ns > GATHER_NS;
}

static void *intake_main(void *ctx)
{
	struct intake *in = ctx;
	struct pollfd *fds = xcalloc(in->n_listeners + 2, sizeof *fds);
	for (size_t i = 0; i < in->n_listeners; i++)
		fds[i] = (struct pollfd){ .fd = in->listeners[i].epoll_fd, .events = POLLIN };
	fds[in->n_listeners] = (struct pollfd){ .fd = in->bell, .events = POLLIN };
	fds[in->n_listeners + 1] = (struct pollfd){ .fd = in->handshakes.epoll_fd, .events = POLLIN };
	int64_t next_tick = 0, stop_by = 0, took_ns = 0;
	for (;;) {
		guard_beat(GUARD_INTAKE);
		guard_tell_waiting(atomic_load_explicit(&in->stats.waiting, memory_order_relaxed));
		bool ready = wait_for_work(in, fds);
		int64_t began = clock_steady_ns();
		if (ready && fds[in->n_listeners].revents) {
			eventfd_t rung;
			eventfd_read(in->bell, &rung);
			take_next(in);
			take_decided(in);
		}
		if (ready && fds[in->n_listeners + 1].revents)
			tls_step(in, took_ns);
		for (size_t i = 0; i < in->n_listeners; i++)
			MHD_run(in->listeners[i].daemon);
		tls_park(in);
		if (!ready || gathered_enough(in))
			submit(in);
		int64_t now = clock_steady_ns();
		took_ns = now - began;
		if (now >= next_tick) {
			answer_overdue(in, false);
			connection_cut_off_slow(in);
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
	tls_release(in);
	for (size_t i = 0; i < in->n_listeners; i++)
		MHD_run(in->listeners[i].daemon); /* lets go what was answered last */
	guard_tell_waiting(0);
	guard_rest(GUARD_INTAKE);
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

struct intake *intake_create(const struct live_set *sources, struct err *err)
{
	const struct config *config = sources->generation->config;
	struct intake *in = xcalloc(1, sizeof *in);
	in->config = config;
	in->sources = sources;
	in->to_submit_last = &in->to_submit;
	in->waiting_last = &in->waiting;
	in->decided.last = &in->decided.first;
	pthread_mutex_init(&in->decided.lock, NULL);
	pthread_mutex_init(&in->next.lock, NULL);
	pthread_cond_init(&in->next.taken, NULL);
	call_init(&in->call, call_memory(config));
	in->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	in->handshakes.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
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
	tls_take(in, config);
	return in;
}

static int start_daemon(struct intake *in, struct listener *l, struct err *err)
{
	const struct config *c = in->config;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (l->tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[TLS_OPTIONS] = { { MHD_OPTION_END, 0, NULL } };
	if (l->tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return err_set(err, "cannot speak TLS on %s: this libmicrohttpd was built without it", l->address);
	if (l->tls)
		tls_options(tls);
	l->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, request_on_data, in, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
		MHD_OPTION_LISTEN_SOCKET, l->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->limits.connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, l->unix_socket ? 0u : (unsigned)c->limits.connections_per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, REQUEST_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_POOL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, request_on_line,
		in, MHD_OPTION_NOTIFY_COMPLETED, request_on_completed, in, MHD_OPTION_NOTIFY_CONNECTION,
		connection_on_change, in, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
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
	/* answered long ago; the journal is closed */
	for (struct journal_ticket *t = in->decided.first, *next; t; t = next) {
		next = t->next;
		request_destroy((struct request *)t);
	}
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
	close(in->handshakes.epoll_fd);
	pthread_mutex_destroy(&in->decided.lock);
	pthread_cond_destroy(&in->next.taken);
	pthread_mutex_destroy(&in->next.lock);
	free(in->listeners);
	free(in);
}

const char *intake_address(const struct intake *in, size_t i)
{
	return i < in->n_listeners ? in->listeners[i].address : NULL;
}

bool intake_certificate(const struct intake *in, size_t i, struct intake_certificate *ret)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&in->next.lock;
	if (i >= in->n_listeners || !in->listeners[i].tls)
		return false;
	pthread_mutex_lock(lock);
	const struct certificate *c = in->listeners[i].certificate;
	*ret = (struct intake_certificate){ .address = in->listeners[i].address,
					    .not_after_ms = certificate_not_after_ms(c) };
	snprintf(ret->names, sizeof ret->names, "%s", certificate_names(c));
	pthread_mutex_unlock(lock);
	return true;
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
