/* folder.c - see folder.h. */
#include "journal/folder.h"

#include "base/mem.h"
#include "journal/segment.h"
#include "journal/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_PATIENCE_MS 2000

/* A process that was killed a moment ago may not quite be gone. */
static int flock_patiently(int fd)
{
	for (int tries = 0;; tries++) {
		int r = flock(fd, LOCK_EX | LOCK_NB);
		if (r == 0 || errno != EWOULDBLOCK || tries == LOCK_PATIENCE_MS / 10)
			return r;
		poll(NULL, 0, 10);
	}
}

/* A child that a plugin has forked would hold it for as long as it runs, and no other worker could take over. */
static _Atomic int lock_of_process = -1;

static void drop_in_child(void)
{
	int fd = atomic_load(&lock_of_process);
	if (fd != -1)
		close(fd);
}

static void drop_in_children(void)
{
	pthread_atfork(NULL, NULL, drop_in_child);
}

int folder_lock(const char *path, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char *name = xasprintf("%s/lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd == -1) {
		err_set(err, "cannot open %s: %s; let the user that runs patchbay write in that folder", name,
			strerror(errno));
	} else if (flock_patiently(fd) == -1) {
		err_set(err, "%s is in use by another patchbay; stop that one first", path);
		close(fd);
		fd = -1;
	} else {
		pthread_once(&once, drop_in_children);
		atomic_store(&lock_of_process, fd);
	}
	free(name);
	return fd;
}

void folder_unlock(int fd)
{
	int ours = fd;
	if (fd == -1)
		return;
	atomic_compare_exchange_strong(&lock_of_process, &ours, -1);
	close(fd);
}

bool folder_in_use(const char *path)
{
	char *name = xasprintf("%s/lock", path);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool used = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	if (fd != -1)
		close(fd);
	free(name);
	return used;
}

/* ---- Formats */

static int log_known(const char *path, const char *part, struct err *err)
{
	char *folder = xasprintf("%s/%s", path, part);
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	uint64_t *v = NULL;
	size_t n = 0;
	if (dir != -1 && segment_list(dir, "seg", &v, &n) != 0)
		n = 0;
	for (size_t i = 0; result == 0 && i < n; i++) {
		struct segment_header h;
		struct err why;
		int fd = segment_open(dir, v[i], O_RDONLY, &h, &why);
		if (fd != -1)
			close(fd);
		else if (errno == ENOTSUP)
			result = err_set(err, "%s: %s", folder, why.text);
	}
	if (dir != -1)
		close(dir);
	free(v);
	free(folder);
	return result;
}

int folder_known(const char *path, struct err *err)
{
	if (log_known(path, "events", err) != 0 || log_known(path, "quarantine", err) != 0)
		return -1;
	char *name = xasprintf("%s/state.db", path);
	int result = access(name, F_OK) == 0 ? state_known(name, err) : 0;
	free(name);
	return result;
}

/* ---- Names */

void folder_drop_beside(const char *database)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char *name = xasprintf("%s%s", database, suffixes[i]);
		unlink(name);
		free(name);
	}
}

bool folder_has_name(const char *name)
{
	static const char *const names[] = {
		".",       "..",       "lock",         "events",       "quarantine",
		"control", "state.db", "state.db-wal", "state.db-shm", "state.db-journal"
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "damaged-", strlen("damaged-")) == 0;
}

bool folder_log_has_name(const char *name)
{
	static const char *const suffixes[] = { "seg", "idx", "bad", "tmp", "idx-tmp", "pre", "raw" };
	uint64_t number;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (segment_parse_name(name, suffixes[i], &number))
			return true;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}
