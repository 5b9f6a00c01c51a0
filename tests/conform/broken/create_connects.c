/* create_connects.c - create() tries whether somebody is there.
 * Caught by: life.create. */
#define CREATE broken_create
#include "source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void greet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		(void)connect(fd, (const struct sockaddr *)&to, sizeof(to));
		close(fd);
	}
}

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	greet();
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("create-connects");
