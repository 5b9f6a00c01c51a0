/* notify.c - see notify.h. */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

int notify_open(struct notify *n, const char *address, struct err *err)
{
	*n = (struct notify){ .fd = -1, .to = { .sun_family = AF_UNIX } };
	if (!address || !*address)
		return 0;
	size_t len = strlen(address);
	if ((address[0] != '/' && address[0] != '@') || len < 2 || len >= sizeof n->to.sun_path)
		return err_set(err, "NOTIFY_SOCKET is neither a path nor @NAME of at most %zu bytes: '%s'",
			       sizeof n->to.sun_path - 1, address);
	memcpy(n->to.sun_path, address, len);
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (address[0] == '@')
		n->to.sun_path[0] = '\0'; /* an abstract name has no end but its length */
	else
		n->to_len++;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return n->fd == -1 ? err_set(err, "cannot make a socket: %s", strerror(errno)) : 0;
}

bool notify_send(const struct notify *n, const char *lines, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof fd)];
	} control = { .room = { 0 } };
	char text[2048];
	size_t len = strlen(lines);
	if (n->fd == -1 || len > sizeof text)
		return errno = n->fd == -1 ? ENOTCONN : EMSGSIZE, false;
	memcpy(text, lines, len); /* struct iovec takes no const */
	struct sockaddr_un to = n->to;
	struct iovec data = { text, len };
	struct msghdr message = { .msg_name = &to, .msg_namelen = n->to_len, .msg_iov = &data, .msg_iovlen = 1 };
	if (fd != -1) {
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS,
						 .cmsg_len = CMSG_LEN(sizeof fd) };
		memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
	}
	ssize_t sent;
	do
		sent = sendmsg(n->fd, &message, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent != -1;
}

void notify_close(struct notify *n)
{
	if (n->fd != -1)
		close(n->fd);
	n->fd = -1;
}
