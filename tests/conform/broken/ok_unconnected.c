/* ok_unconnected.c - does not look at what connect() returns.
 * Caught by: act.unreachable. */
#define DELIVER broken_deliver
#include "sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)s, (void)call;

	if (fd >= 0) {
		(void)connect(fd, (const struct sockaddr *)&to, sizeof(to));
		(void)!send(fd, event->data.p, event->data.n, MSG_NOSIGNAL);
		close(fd);
	}
	return result(PATCHBAY_OK, "");
}

FILE_SINK("ok-unconnected");
