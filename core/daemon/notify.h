/* notify.h - one datagram to the service manager that started this process: sd_notify(3)'s protocol, which is public
 * and stable. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody is to be told */
	struct sockaddr_un to;
	socklen_t to_len;
};

/* `address` as in $NOTIFY_SOCKET: a path, or '@' and a name of the abstract namespace. NULL: nobody is to be told. Not
 * 0: err, and as if it were NULL. */
int notify_open(struct notify *, const char *address, struct err *err);
/* "KEY=value" lines, with a duplicate of a descriptor unless fd is -1. Never waits. False: it was not taken, errno says
 * why; also where nobody is to be told. */
bool notify_send(const struct notify *, const char *lines, int fd);
void notify_close(struct notify *);

#endif
