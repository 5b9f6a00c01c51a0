/* file.c - opening, locking, writing and renaming. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_ROOM 4096

int file_make_folders(const char *path)
{
	char folder[PATH_ROOM];
	size_t n = strlen(path);
	if (n >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, n + 1);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		bool made = mkdir(folder, 0750) == 0;
		int failed = errno;
		if ((made && file_sync_folder(folder) != 0) || (!made && access(folder, F_OK) != 0)) {
			errno = made ? errno : failed;
			return -1;
		}
		*slash = '/';
	}
	return 0;
}

bool file_exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 || errno != ENOENT;
}

int file_open(const char *path)
{
	/* O_NONBLOCK: a pipe by that name must not hang us. */
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0) {
		close(fd);
		errno = EINVAL;
	}
	return -1;
}

int file_lock(int fd)
{
	int r;
	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r != 0 && errno == EINTR);
	return r;
}

bool file_is_at(int fd, const char *path)
{
	struct stat open_one, named;
	return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 && open_one.st_ino == named.st_ino &&
	       open_one.st_dev == named.st_dev;
}

int file_open_new(const char *path)
{
	for (int tries = 0; tries < 10; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
		if (fd < 0)
			return -1;
		int failed = file_lock(fd) != 0 ? errno : 0;
		/* Whoever had it locked may have given it its name just now. */
		if (!failed && !file_is_at(fd, path)) {
			close(fd);
			continue;
		}
		if (!failed && ftruncate(fd, 0) != 0)
			failed = errno;
		if (!failed)
			return fd;
		close(fd);
		errno = failed;
		return -1;
	}
	errno = EWOULDBLOCK;
	return -1;
}

int file_read_at(int fd, void *p, size_t n, int64_t offset)
{
	char *at = p;
	while (n) {
		ssize_t got = pread(fd, at, n, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return -1;
		}
		at += got;
		n -= (size_t)got;
		offset += got;
	}
	return 0;
}

int file_write_at(int fd, const void *p, size_t n, int64_t offset)
{
	const char *at = p;
	while (n) { /* one turn, unless the disk is full: the second one tells so */
		ssize_t put = pwrite(fd, at, n, offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			errno = put == 0 ? ENOSPC : errno;
			return -1;
		}
		at += put;
		n -= (size_t)put;
		offset += put;
	}
	return 0;
}

int file_rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that cannot: a second name, then without the first. */
	return link(from, to) == 0 ? unlink(from) : -1;
}

int file_sync_folder(const char *path)
{
	char folder[PATH_ROOM];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(n ? n : 1) : 1, slash ? path : ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int r = fsync(fd), failed = errno;
	close(fd);
	errno = failed;
	return r;
}
