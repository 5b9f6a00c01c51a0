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
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define PATIENCE_MS 2000

/* "127.0.0.1:8080", "[::1]:8080", "unix:/path" */
static char *address_text(const struct sockaddr *addr, socklen_t len)
{
	char text[INET6_ADDRSTRLEN];
	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)addr;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		return xasprintf("%s:%u", text, ntohs(in->sin_port));
	}
	if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)addr;
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
		return xasprintf("[%s]:%u", text, ntohs(in6->sin6_port));
	}
	const struct sockaddr_un *un = (const void *)addr;
	size_t offset = offsetof(struct sockaddr_un, sun_path);
	int n = len > offset ? (int)strnlen(un->sun_path, len - offset) : 0;
	return xasprintf("unix:%.*s", n, un->sun_path);
}

char *listener_name(const struct sockaddr *addr, socklen_t len)
{
	char *text = address_text(addr, len), *name = xasprintf(LISTENER_PREFIX "%s", text);
	free(text);
	return name;
}

/* With the port that port 0 became. */
static char *bound_address(int fd)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof addr;
	getsockname(fd, (struct sockaddr *)&addr, &len);
	return address_text((const struct sockaddr *)&addr, len);
}

/* [::]:PORT without IPV6_V6ONLY, as socket units make it, has that port of IPv4, too. */
static bool takes_both(int fd)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_UNSPEC };
	socklen_t len = sizeof addr, n = sizeof(int);
	int only = 1;
	return getsockname(fd, (struct sockaddr *)&addr, &len) == 0 && addr.sin6_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&addr.sin6_addr) && getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &n) == 0 &&
	       !only;
}

static bool is_taken_by_both(const struct config_address *a)
{
	if (a->addr.ss_family != AF_INET)
		return false;
	char *name = xasprintf(LISTENER_PREFIX "[::]:%u", ntohs(((const struct sockaddr_in *)&a->addr)->sin_port));
	int fd = guard_kept(name);
	bool taken = fd != -1 && takes_both(fd);
	if (fd != -1)
		close(fd);
	free(name);
	return taken;
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
		return err_set(
			err, "cannot listen on %s: %s%s", a->text, strerror(why),
			why == EADDRINUSE && is_taken_by_both(a)
				? "; the socket that the service manager hands over on all of IPv6 has this port "
				  "of IPv4, too: take this address out of 'listen', or write "
				  "BindIPv6Only=ipv6-only into the socket unit"
			: why == EADDRINUSE && l->unix_socket ? "; stop who listens there, or remove the file"
			: why == EADDRINUSE    ? "; another process listens there, or did until a moment ago"
			: why == EADDRNOTAVAIL ? "; this machine has no such address: `ip address` lists those it has"
			: why == EACCES ? "; ports below 1024 need a privilege, use a higher one behind a proxy, "
					  "or have systemd open it (patchbay.socket)"
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
	char *name = listener_name((const struct sockaddr *)&a->addr, a->addr_len);
	int r = 0;
	l->unix_socket = a->addr.ss_family == AF_UNIX;
	l->tls = a->tls;
	l->configured = xstrdup(a->text);
	l->listen_fd = guard_kept(name); /* across a crash, or a restart by a service manager, nobody is turned away */
	if (l->listen_fd == -1 && (r = bind_new(l, a, err)) == 0)
		guard_keep(name, l->listen_fd);
	if (r == 0 && l->unix_socket && guard_holder(name) == GUARD_ALONE)
		l->unlink_path = xstrdup(((const struct sockaddr_un *)&a->addr)->sun_path);
	free(name);
	if (r == 0)
		l->address = bound_address(l->listen_fd);
	return r;
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
