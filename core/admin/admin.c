/* admin.c - a small server with a thread of its own. GET /health: 200 while events are accepted and every sink works,
 * else 503, and one line for each trouble (alarm/). GET /metrics: the Prometheus text format. */
#include "admin/admin.h"

#include "admin/metrics.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/listener.h"

#include <microhttpd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct admin {
	struct listener listener;
	struct MHD_Daemon *daemon;
	struct admin_parts parts;
};

static unsigned health(struct admin *a, struct buf *out)
{
	return alarms_health(a->parts.alarms, out) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned metrics(struct admin *a, struct buf *out)
{
	metrics_write(&a->parts, out);
	return MHD_HTTP_OK;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *data_size, void **request)
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
	a->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, a,
				     MHD_OPTION_LISTEN_SOCKET, a->listener.listen_fd, MHD_OPTION_CONNECTION_LIMIT, 64u,
				     MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
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
	if (a->daemon) {
		/* which takes MHD_USE_ITC; or else the socket is shut down for everybody who holds it */
		MHD_quiesce_daemon(a->daemon);
		MHD_stop_daemon(a->daemon);
	}
	listener_close(&a->listener);
	free(a);
}

const char *admin_address(const struct admin *a)
{
	return a->listener.address;
}
