/* listener.c - the sockets that are listened on. */
#include "http/listener.h"

#include "base/mem.h"
#include "guard/guard.h"
#include "tls/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define PATIENCE_MS 2000

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

/* A process that was killed a moment ago may not quite be gone. */
static int bind_patiently(int fd, const struct config_address *a)
{
	for (int tries = 0;; tries++) {
		int r = bind(fd, (const struct sockaddr *)&a->addr, a->addr_len);
		if (r == 0)
			r = listen(fd, BACKLOG);
		if (r == 0 || errno != EADDRINUSE || tries == PATIENCE_MS / 10)
			return r;
		poll(NULL, 0, 10);
	}
}

static int bind_new(struct listener *l, const struct config_address *a, struct err *err)
{
	int family = a->addr.ss_family, on = 1;
	if (l->unix_socket)
		remove_stale(a);
	l->listen_fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->listen_fd == -1)
		return err_set(err, "cannot listen on %s: %s", a->text, strerror(errno));
	if (!l->unix_socket)
		setsockopt(l->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6)
		setsockopt(l->listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind_patiently(l->listen_fd, a) == -1) {
		int why = errno;
		return err_set(err, "cannot listen on %s: %s%s", a->text, strerror(why),
			       why == EADDRINUSE && l->unix_socket ? "; stop who listens there, or remove the file"
			       : why == EADDRINUSE ? "; another process listens there, or did until a moment ago"
			       : why == EADDRNOTAVAIL
				       ? "; this machine has no such address: `ip address` lists those it has"
			       : why == EACCES ? "; ports below 1024 need a privilege, use a higher one behind a proxy"
					       : "");
	}
	const char *path = ((const struct sockaddr_un *)&a->addr)->sun_path;
	if (l->unix_socket && chmod(path, 0660) == -1) { /* connecting takes the right to write */
		err_set(err, "cannot let the group use %s: %s", a->text, strerror(errno));
		unlink(path);
		return -1;
	}
	return 0;
}

int listener_open(struct listener *l, const struct config_address *a, struct err *err)
{
	char *name = xasprintf("listen %s", a->text);
	int r = 0;
	l->unix_socket = a->addr.ss_family == AF_UNIX;
	l->tls = a->tls;
	l->configured = xstrdup(a->text);
	l->listen_fd = guard_kept(name); /* across a crash nobody is turned away */
	if (l->listen_fd == -1 && (r = bind_new(l, a, err)) == 0)
		guard_keep(name, l->listen_fd);
	free(name);
	if (r != 0)
		return -1;
	if (l->unix_socket)
		l->unlink_path = xstrdup(((const struct sockaddr_un *)&a->addr)->sun_path);
	l->address = address_text(a, l->listen_fd);
	return 0;
}

void listener_close(struct listener *l)
{
	if (l->listen_fd != -1)
		close(l->listen_fd);
	if (l->unlink_path)
		unlink(l->unlink_path);
	certificate_unref(l->certificate);
	free(l->unlink_path);
	free(l->configured);
	free(l->address);
}
