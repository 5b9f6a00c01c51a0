/* listener.c - the sockets that are listened on. */
#include "http/listener.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static char *address_text(const struct config_address *configured, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	char text[INET6_ADDRSTRLEN];
	if (getsockname(fd, (struct sockaddr *)&addr, &len) == -1 || addr.ss_family == AF_UNIX)
		return xstrdup(configured->text);
	if (addr.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&addr;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		return xasprintf("%s:%u", text, ntohs(in->sin_port));
	}
	const struct sockaddr_in6 *in6 = (const void *)&addr;
	inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
	return xasprintf("[%s]:%u", text, ntohs(in6->sin6_port));
}

/* A socket file that nobody listens on any more was left by a crash. */
static void remove_stale(const struct config_address *a)
{
	const char *path = ((const struct sockaddr_un *)&a->addr)->sun_path;
	struct stat st;
	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode)) /* other files refuse connections as well */
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (const struct sockaddr *)&a->addr, a->addr_len) == -1 && errno == ECONNREFUSED)
		unlink(path);
	if (fd != -1)
		close(fd);
}

int listener_open(struct listener *l, const struct config_address *a, struct err *err)
{
	int family = a->addr.ss_family, on = 1;
	l->unix_socket = family == AF_UNIX;
	if (l->unix_socket)
		remove_stale(a);
	l->listen_fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->listen_fd == -1)
		return err_set(err, "cannot listen on %s: %s", a->text, strerror(errno));
	if (!l->unix_socket)
		setsockopt(l->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6)
		setsockopt(l->listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(l->listen_fd, (const struct sockaddr *)&a->addr, a->addr_len) == -1 ||
	    listen(l->listen_fd, BACKLOG) == -1) {
		int why = errno;
		return err_set(err, "cannot listen on %s: %s%s", a->text, strerror(why),
			       why == EADDRINUSE && l->unix_socket ? "; stop who listens there, or remove the file"
			       : why == EADDRINUSE ? "; another process listens there, or did until a moment ago"
			       : why == EADDRNOTAVAIL
				       ? "; this machine has no such address: `ip address` lists those it has"
			       : why == EACCES ? "; ports below 1024 need a privilege, use a higher one behind a proxy"
					       : "");
	}
	if (l->unix_socket) {
		l->unlink_path = xstrdup(((const struct sockaddr_un *)&a->addr)->sun_path);
		if (chmod(l->unlink_path, 0660) == -1) /* connecting takes the right to write */
			return err_set(err, "cannot let the group use %s: %s", a->text, strerror(errno));
	}
	l->address = address_text(a, l->listen_fd);
	return 0;
}

void listener_close(struct listener *l)
{
	if (l->listen_fd != -1)
		close(l->listen_fd);
	if (l->unlink_path)
		unlink(l->unlink_path);
	free(l->unlink_path);
	free(l->address);
}
