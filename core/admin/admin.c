/* admin.c - a small server with a thread of its own. GET /health: 200 while events are accepted and every sink works, else 503
 * and one line for each trouble. GET /metrics: the Prometheus text format. */
#include "admin/admin.h"

#include "base/mem.h"
#include "base/str.h"
#include "http/listener.h"

#include <microhttpd.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SINKS_MAX 1024u
#define POLLED_MAX 1024u

struct admin {
	struct listener listener;
	struct MHD_Daemon *daemon;
	struct admin_parts parts;
};

static struct dispatcher_stats *sinks_of(struct admin *a, size_t *ret_n)
{
	struct dispatcher_stats *v = xcalloc(SINKS_MAX, sizeof *v);
	size_t n = dispatcher_stats(a->parts.dispatcher, v, SINKS_MAX);
	*ret_n = n < SINKS_MAX ? n : SINKS_MAX;
	return v;
}

static struct poller_stats *polled_of(struct admin *a, size_t *ret_n)
{
	struct poller_stats *v = xcalloc(POLLED_MAX, sizeof *v);
	size_t n = poller_stats(a->parts.poller, v, POLLED_MAX);
	*ret_n = n < POLLED_MAX ? n : POLLED_MAX;
	return v;
}

static unsigned health(struct admin *a, struct buf *out)
{
	struct err why;
	bool well = true;
	if (journal_trouble(a->parts.journal, &why)) {
		buf_addf(out, "journal: %s\n", why.text);
		well = false;
	}
	size_t n;
	struct dispatcher_stats *sinks = sinks_of(a, &n);
	for (size_t i = 0; i < n; i++) {
		if (!sinks[i].trouble_since_ms)
			continue;
		buf_addf(out, "sink %s: %s\n", sinks[i].sink, sinks[i].reason);
		well = false;
	}
	free(sinks);
	struct poller_stats *polled = polled_of(a, &n);
	for (size_t i = 0; i < n; i++) {
		if (!polled[i].trouble_since_ms)
			continue;
		buf_addf(out, "source %s, polling: %s\n", polled[i].source, polled[i].reason);
		well = false;
	}
	free(polled);
	if (well)
		buf_addf(out, "ok\n");
	return well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	buf_addf(out, "# HELP patchbay_%s %s\n# TYPE patchbay_%s %s\npatchbay_%s %" PRIu64 "\n", name, help, name, type, name, value);
}

static void metrics_of_sinks(struct admin *a, struct buf *out)
{
	static const char *const names[] = { "done", "retried", "parked", "dead", "skipped" };
	size_t n;
	struct dispatcher_stats *sinks = sinks_of(a, &n);
	buf_addf(out, "# HELP patchbay_deliveries_total What became of deliveries.\n# TYPE patchbay_deliveries_total counter\n");
	for (size_t i = 0; i < n; i++) {
		const uint64_t values[] = { sinks[i].done, sinks[i].retried, sinks[i].parked, sinks[i].dead, sinks[i].skipped };
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			buf_addf(out, "patchbay_deliveries_total{sink=\"%s\",result=\"%s\"} %" PRIu64 "\n", sinks[i].sink, names[k], values[k]);
	}
	buf_addf(out, "# HELP patchbay_sink_up 1 while the sink works.\n# TYPE patchbay_sink_up gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_up{sink=\"%s\"} %d\n", sinks[i].sink, sinks[i].trouble_since_ms == 0);
	buf_addf(out, "# HELP patchbay_sink_caught_up 1 when nothing is owed to the sink but what is parked.\n# TYPE patchbay_sink_caught_up gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_sink_caught_up{sink=\"%s\"} %d\n", sinks[i].sink, sinks[i].at_end);
	free(sinks);
}

static void metrics_of_polling(struct admin *a, struct buf *out)
{
	size_t n;
	struct poller_stats *polled = polled_of(a, &n);
	buf_addf(out, "# HELP patchbay_poll_steps_total Steps of polling.\n# TYPE patchbay_poll_steps_total counter\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out,
			 "patchbay_poll_steps_total{source=\"%s\",result=\"ok\"} %" PRIu64 "\n"
			 "patchbay_poll_steps_total{source=\"%s\",result=\"failed\"} %" PRIu64 "\n",
			 polled[i].source, polled[i].steps, polled[i].source, polled[i].failures);
	buf_addf(out, "# HELP patchbay_polled_total What polling brought, events known already included.\n# TYPE patchbay_polled_total counter\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_polled_total{source=\"%s\"} %" PRIu64 "\n", polled[i].source, polled[i].events);
	buf_addf(out, "# HELP patchbay_poll_up 1 while polling works.\n# TYPE patchbay_poll_up gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "patchbay_poll_up{source=\"%s\"} %d\n", polled[i].source, polled[i].trouble_since_ms == 0);
	free(polled);
	struct enricher_stats details;
	enricher_stats(a->parts.enricher, &details);
	buf_addf(out,
		 "# HELP patchbay_details_total Events whose details were asked for.\n# TYPE patchbay_details_total counter\n"
		 "patchbay_details_total{result=\"there\"} %" PRIu64 "\npatchbay_details_total{result=\"none\"} %" PRIu64 "\n",
		 details.with_details, details.without);
}

static unsigned metrics(struct admin *a, struct buf *out)
{
	struct journal_stats j;
	struct intake_stats in;
	journal_stats(a->parts.journal, &j);
	intake_stats(a->parts.intake, &in);
	metric(out, "requests_total", "counter", "Requests received.", in.requests);
	buf_addf(out, "# HELP patchbay_answers_total Answers by class of status.\n# TYPE patchbay_answers_total counter\n");
	for (size_t i = 1; i < 6; i++)
		buf_addf(out, "patchbay_answers_total{class=\"%zuxx\"} %" PRIu64 "\n", i, in.answered[i]);
	metric(out, "shed_total", "counter", "Requests answered 503 because the journal was slow or the daemon stopping.", in.shed);
	metric(out, "connections", "gauge", "Open connections.", in.connections);
	metric(out, "waiting", "gauge", "Requests that wait for their commit.", in.waiting);
	metric(out, "events_total", "counter", "Events made durable.", j.appended);
	metric(out, "duplicates_total", "counter", "Providers' repeats recognised.", j.duplicates);
	metric(out, "quarantined_malformed_total", "counter", "Authentic requests that were not understood.", j.malformed);
	metric(out, "quarantined_refused_total", "counter", "Requests that were not authentic.", j.refused);
	metric(out, "replays_total", "counter", "Requests refused because their one-time token came before.", j.replayed);
	metric(out, "unavailable_total", "counter", "Requests that could not be made durable.", j.unavailable);
	metric(out, "commits_total", "counter", "Group commits.", j.commits);
	metric(out, "journal_bytes", "gauge", "Size of the event segments.", j.bytes);
	metric(out, "quarantine_bytes", "gauge", "Size of the quarantine.", j.quarantine_bytes);
	metric(out, "dedupe_keys", "gauge", "Keys and tokens remembered.", j.dedupe_keys);
	metrics_of_sinks(a, out);
	metrics_of_polling(a, out);
	return MHD_HTTP_OK;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *data, size_t *data_size, void **request)
{
	struct buf out = { 0 };
	unsigned status = MHD_HTTP_NOT_FOUND;
	(void)version;
	(void)data;
	(void)request;
	if (*data_size) {
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (strcmp(url, "/health") == 0)
		status = health(ctx, &out);
	else if (strcmp(url, "/metrics") == 0)
		status = metrics(ctx, &out);
	if (out.n == 0)
		buf_addf(&out, "GET /health or /metrics\n");
	struct MHD_Response *response = MHD_create_response_from_buffer(out.n, out.p, MHD_RESPMEM_MUST_COPY);
	buf_free(&out);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	enum MHD_Result result = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return result;
}

struct admin *admin_start(const struct config_address *address, const struct admin_parts *parts, struct err *err)
{
	struct admin *a = xcalloc(1, sizeof *a);
	a->parts = *parts;
	a->listener.listen_fd = -1;
	if (listener_open(&a->listener, address, err) != 0) {
		admin_stop(a);
		return NULL;
	}
	a->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, a, MHD_OPTION_LISTEN_SOCKET,
	                             a->listener.listen_fd, MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
	if (!a->daemon) {
		err_set(err, "libmicrohttpd cannot serve %s: %s", a->listener.address, strerror(errno));
		admin_stop(a);
		return NULL;
	}
	return a;
}

void admin_stop(struct admin *a)
{
	if (!a)
		return;
	if (a->daemon)
		MHD_stop_daemon(a->daemon);
	listener_close(&a->listener);
	free(a);
}

const char *admin_address(const struct admin *a)
{
	return a->listener.address;
}
