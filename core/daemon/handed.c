/* handed.c - see handed.h. */
#include "daemon/handed.h"

#include "base/log.h"
#include "base/mem.h"
#include "guard/internal.h"
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST 3 /* by sd_listen_fds(3) */

static bool is_listening(int fd)
{
	int type = 0, accepts = 0;
	socklen_t n = sizeof type, m = sizeof accepts;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &m) == 0 && accepts;
}

/* Of a unix socket whose file is gone nobody can make use. */
static bool has_lost_file(const char *name)
{
	static const char of_unix[] = LISTENER_PREFIX "unix:";
	struct stat st;
	if (strncmp(name, of_unix, strlen(of_unix)) != 0)
		return false;
	return lstat(name + strlen(of_unix), &st) != 0 || !S_ISSOCK(st.st_mode);
}

static void take(int fd, const char *label)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	bool stored = strncmp(label, LISTENER_PREFIX, strlen(LISTENER_PREFIX)) == 0;
	if (!is_listening(fd) || getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
		log_warning("descriptor %d (%s), which the service manager hands over, is no stream socket that is "
			    "listened on, and is not used; the socket unit needs ListenStream= and Accept=no",
			    fd, *label ? label : "without a name");
		close(fd);
		return;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	char *name = listener_name((const struct sockaddr *)&addr, len);
	guard_keep_inherited(name, fd, stored ? GUARD_STORED : GUARD_HANDED);
	free(name);
}

void handed_take(void)
{
	static const char *const own[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	long n = pid && count && strtol(pid, NULL, 10) == getpid() ? strtol(count, NULL, 10) : 0;
	char *labels = xstrdup(names ? names : ""), *rest = labels;
	for (int fd = FIRST; fd - FIRST < n; fd++) {
		const char *label = strsep(&rest, ":");
		if (fcntl(fd, F_GETFD) == -1) {
			log_warning("LISTEN_FDS says that %ld sockets are handed over, but there are only %d", n,
				    fd - FIRST);
			break;
		}
		take(fd, label ? label : "");
	}
	free(labels);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		unsetenv(own[i]);
}

static bool is_wanted(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_listen + (c->admin ? 1 : 0); i++) {
		const struct config_address *a = i < c->n_listen ? &c->listen[i] : c->admin;
		char *wanted = listener_name((const struct sockaddr *)&a->addr, a->addr_len);
		bool same = strcmp(wanted, name) == 0;
		free(wanted);
		if (same)
			return true;
	}
	return false;
}

void handed_release(const struct config *c)
{
	const char *name;
	for (size_t i = 0; (name = guard_inherited(i));) {
		bool stored = guard_holder(name) == GUARD_STORED;
		const char *address = name + strlen(LISTENER_PREFIX);
		if (is_wanted(c, name) && !has_lost_file(name)) {
			i++;
			continue;
		}
		if (stored)
			log_info("not listening on %s any more, which the service manager had kept", address);
		else if (has_lost_file(name))
			log_warning("the service manager hands over %s, whose file is gone; restart the socket unit",
				    address);
		else
			log_warning("the service manager hands over a socket on %s, which neither 'listen' nor 'admin' "
				    "names, so that nobody answers there; add '%s' to 'listen', or take it out of the "
				    "socket unit",
				    address, address);
		guard_forget(name);
	}
}
