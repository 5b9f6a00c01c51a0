/* connection.c - connections: how long they may take, and whether anybody is there at the other end. */
#include "http/request.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const struct listener *listener_of(const struct intake *in, struct MHD_Connection *c)
{
	const struct MHD_Daemon *daemon = MHD_get_connection_info(c, MHD_CONNECTION_INFO_DAEMON)->daemon;
	size_t i = 0;
	while (in->listeners[i].daemon != daemon)
		i++;
	return &in->listeners[i];
}

void connection_on_change(void *ctx, struct MHD_Connection *c, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct intake *in = ctx;
	struct connection *connection = *socket_context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = xcalloc(1, sizeof *connection);
		connection->mhd = c;
		connection->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		connection->deadline_ns = clock_steady_ns() + in->config->limits.request_ms * NS_PER_MS;
		connection->next = in->connections;
		if (connection->next)
			connection->next->in = &connection->next;
		connection->in = &in->connections;
		in->connections = connection;
		*socket_context = connection;
		const struct listener *l = listener_of(in, c);
		if (l->tls)
			tls_begin(in, connection, l);
		atomic_fetch_add(&in->stats.connections, 1);
	} else if (connection) {
		tls_end(connection);
		*connection->in = connection->next;
		if (connection->next)
			connection->next->in = connection->in;
		free(connection);
		*socket_context = NULL;
		atomic_fetch_sub(&in->stats.connections, 1);
	}
}

void connection_set_deadline(struct MHD_Connection *c, int64_t deadline_ns)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *connection = info ? info->socket_context : NULL;
	if (connection)
		connection->deadline_ns = deadline_ns;
}

/* MHD's own time-out is about silence: a client that drips a byte now and then is never cut off by it. */
void connection_cut_off_slow(struct intake *in)
{
	int64_t now = clock_steady_ns();
	for (struct connection *c = in->connections; c; c = c->next) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);
		if (now >= c->deadline_ns && (c->handshake.parked || !info || !info->suspended))
			shutdown(c->fd, SHUT_RDWR);
	}
}

bool connection_is_closed(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	char byte;
	if (info && MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION)) {
		/* What is there to be read may be the next request, or TLS's own good-bye. */
		struct pollfd p = { .fd = info->connect_fd, .events = POLLRDHUP };
		return poll(&p, 1, 0) == 1;
	}
	ssize_t n = info ? recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) : 0;
	return n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
}

bool connection_has_delivered(struct MHD_Connection *c, bool was_closed)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	int unacknowledged = 0;
	if (!info)
		return false;
	struct pollfd p = { .fd = info->connect_fd };
	if (poll(&p, 1, 0) == 1 && p.revents & (POLLERR | POLLHUP))
		return false;
	return !was_closed || (ioctl(info->connect_fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0);
}
