/* control_socket.c - see control_socket.h. The path of a unix socket has 107 bytes at most, the path of a journal may
 * be longer: so the folder is opened, and named by its descriptor. */
#include "daemon/control_socket.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "control"
#define BACKLOG 8
#define PATIENCE_MS 1000

static int fail(const char *folder, int fd, struct err *err)
{
	int why = errno;
	if (fd != -1)
		close(fd);
	errno = why;
	return err_set(err, "%s/" NAME ": %s", folder, strerror(why));
}

static int with_socket(const char *folder, int (*use)(int, const struct sockaddr *, socklen_t), struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dir == -1 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fail(folder, dir, err);
	snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" NAME, dir);
	int rc = use(fd, (const struct sockaddr *)&addr, sizeof addr), why = errno;
	close(dir);
	errno = why;
	return rc == 0 ? fd : fail(folder, fd, err);
}

int control_socket_listen(const char *folder, struct err *err)
{
	control_socket_remove(folder); /* of a daemon that was killed */
	int fd = with_socket(folder, bind, err);
	if (fd == -1)
		return -1;
	char *path = xasprintf("%s/" NAME, folder);
	int rc = chmod(path, 0600); /* connecting takes the right to write, which nobody else had until now either */
	free(path);
	return rc == 0 && listen(fd, BACKLOG) == 0 ? fd : fail(folder, fd, err);
}

void control_socket_remove(const char *folder)
{
	char *path = xasprintf("%s/" NAME, folder);
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	free(path);
}

/* A socket without anybody behind it is what a worker leaves that crashed; the next one is there in a moment. */
static int connect_patiently(int fd, const struct sockaddr *addr, socklen_t len)
{
	for (int tries = 0;; tries++) {
		int rc = connect(fd, addr, len);
		if (rc == 0 || errno != ECONNREFUSED || tries == PATIENCE_MS / 10)
			return rc;
		poll(NULL, 0, 10);
	}
}

int control_socket_connect(const char *folder, struct err *err)
{
	return with_socket(folder, connect_patiently, err);
}
