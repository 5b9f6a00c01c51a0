/* failio.c - a disk that misbehaves on command, for tests: preloaded into the daemon, it stands before fsync,
 * fdatasync and sync_file_range. The file named by $FAILIO says what to do, and is read at every call:
 *
 *   ok             pass through (also when there is no such file)
 *   fail WHERE     EIO, for files whose path contains WHERE; all files if WHERE is left out
 *   slow MS WHERE  wait that long first
 *
 * Each call that was made to fail or wait is noted as a line in $FAILIO.log. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool path_contains(int fd, const char *where, char *path, size_t size)
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, size - 1);
	path[n > 0 ? n : 0] = 0;
	return strstr(path, where) != NULL;
}

static void note(const char *call, const char *what, const char *path)
{
	char name[512], line[4096];
	snprintf(name, sizeof(name), "%s.log", getenv("FAILIO"));
	int n = snprintf(line, sizeof(line), "%s %s %s\n", call, what, path);
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd >= 0 && n > 0 && write(fd, line, (size_t)n) < 0)
		abort();
	if (fd >= 0)
		close(fd);
}

/* True: the call is to fail with EIO. */
static bool misbehave(const char *call, int fd)
{
	const char *control = getenv("FAILIO");
	FILE *f = control ? fopen(control, "re") : NULL;
	if (!f)
		return false;
	char line[256] = "";
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);

	char where[200] = "", path[2048];
	int ms = 0;
	if (strncmp(line, "fail", 4) == 0) {
		sscanf(line, "fail %199s", where);
		if (!path_contains(fd, where, path, sizeof(path)))
			return false;
		note(call, "failed", path);
		return true;
	}
	if (sscanf(line, "slow %d %199s", &ms, where) >= 1 && path_contains(fd, where, path, sizeof(path))) {
		note(call, "slow", path);
		struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
		while (nanosleep(&t, &t) != 0 && errno == EINTR)
			;
	}
	return false;
}

int fsync(int fd)
{
	static int (*next)(int);
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "fsync");
	if (misbehave("fsync", fd)) {
		errno = EIO;
		return -1;
	}
	return next(fd);
}

int fdatasync(int fd)
{
	static int (*next)(int);
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
	if (misbehave("fdatasync", fd)) {
		errno = EIO;
		return -1;
	}
	return next(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t n, unsigned flags)
{
	static int (*next)(int, off64_t, off64_t, unsigned);
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "sync_file_range");
	if (misbehave("sync_file_range", fd)) {
		errno = EIO;
		return -1;
	}
	return next(fd, offset, n, flags);
}
