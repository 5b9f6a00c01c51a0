/* image.c - see image.h. */
#include "plugin/image.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u /* Linux 6.3 */
#endif

#define SIZE_MAX_BYTES (INT64_C(256) << 20)
#define PIECE 65536u
#define TRIES 5
#define NAP_MS 10 /* longer than the time stamps of a file are apart */

static int check_stat(const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, "it is not a regular file");
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return err_set(
			err,
			"it belongs to user id %u, and only root and the user that runs patchbay (%u) are trusted "
			"with code; chown it",
			(unsigned)st->st_uid, (unsigned)geteuid());
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, "others than its owner may write to it (mode %03o); chmod go-w it",
			       st->st_mode & 0777u);
	if (st->st_size > SIZE_MAX_BYTES)
		return err_set(err, "it has %lld bytes, more than the 256 MiB that a plugin may have",
			       (long long)st->st_size);
	return 0;
}

/* -1: nothing in memory can be mapped to be run here. */
static int memory_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = xasprintf("patchbay:%.200s", slash ? slash + 1 : path);
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd == -1 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	free(name);
	if (fd == -1)
		return -1;
	void *code = ftruncate(fd, 1) == 0 ? mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (code == MAP_FAILED) {
		close(fd);
		return -1;
	}
	munmap(code, 1);
	return fd;
}

/* From the beginning of one to the other (-1: nowhere), with the hash and the size of what was read; little more than
 * `expected` bytes of a file that grows all the time. */
static int copy(int from, int to, off_t expected, struct image *image, struct err *err)
{
	char *piece = xmalloc(PIECE);
	XXH3_state_t *hash = XXH3_createState();
	ssize_t n = -1;
	int r = -1;
	if (!hash)
		abort();
	XXH3_128bits_reset(hash);
	image->size = 0;
	if (lseek(from, 0, SEEK_SET) == -1 || (to != -1 && (lseek(to, 0, SEEK_SET) == -1 || ftruncate(to, 0) == -1)))
		goto out;
	while ((n = read(from, piece, PIECE)) > 0 || (n == -1 && errno == EINTR)) {
		if (n == -1)
			continue;
		image->size += (uint64_t)n;
		XXH3_128bits_update(hash, piece, (size_t)n);
		if (to != -1 && io_write_all(to, piece, (size_t)n) != 0)
			goto out;
		if (image->size > (uint64_t)expected)
			break;
	}
	if (n >= 0) {
		XXH128_hash_t digest = XXH3_128bits_digest(hash);
		image->hash[0] = digest.low64;
		image->hash[1] = digest.high64;
		r = 0;
	}
out:
	if (r != 0)
		err_set(err, "it cannot be copied: %s", strerror(errno));
	XXH3_freeState(hash);
	free(piece);
	return r;
}

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool same_moment(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && ns_of(a->st_mtim) == ns_of(b->st_mtim) &&
	       ns_of(a->st_ctim) == ns_of(b->st_ctim);
}

/* A copy between two writes would be of no version at all. What is written while it is copied has a time stamp that is
 * not before the copy's beginning. Another machine's clock may say the same of what was written long ago: that stays as
 * it is while we nap. */
static int copy_at_rest(int fd, struct image *image, struct err *err)
{
	struct stat before, after, last = { 0 };
	for (int i = 0; i < TRIES; i++) {
		struct timespec began;
		clock_gettime(CLOCK_REALTIME_COARSE, &began);
		if (fstat(fd, &before) != 0)
			return err_set(err, "it cannot be examined: %s", strerror(errno));
		if (check_stat(&before, err) != 0 ||
		    copy(fd, image->copied ? image->fd : -1, before.st_size, image, err) != 0)
			return -1;
		if (fstat(fd, &after) != 0)
			return err_set(err, "it cannot be examined: %s", strerror(errno));
		if (same_moment(&before, &after) && image->size == (uint64_t)after.st_size &&
		    (ns_of(after.st_mtim) < ns_of(began) || same_moment(&last, &after)))
			return 0;
		last = after;
		nanosleep(&(struct timespec){ .tv_nsec = NAP_MS * NS_PER_MS }, NULL);
	}
	return err_set(err, "it is being written to; try again when that is done");
}

int image_take(const char *path, struct image *ret, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
	*ret = (struct image){ .fd = -1 };
	if (fd == -1)
		return err_set(err, "it cannot be opened: %s", strerror(errno));
	if (fstat(fd, &st) != 0) {
		err_set(err, "it cannot be examined: %s", strerror(errno));
		goto fail;
	}
	ret->file = (struct file_id){ st.st_dev, st.st_ino };
	if (check_stat(&st, err) != 0)
		goto fail;
	ret->fd = memory_file(path);
	ret->copied = ret->fd != -1;
	if (copy_at_rest(fd, ret, err) != 0)
		goto fail;
	if (!ret->copied) {
		ret->fd = fd;
		return 0;
	}
	close(fd);
	fcntl(ret->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return 0;
fail:
	close(fd);
	image_drop(ret);
	return -1;
}

int image_take_copy(int fd, struct image *ret, struct err *err)
{
	struct stat st;
	*ret = (struct image){ .fd = fd, .copied = true };
	if (fstat(fd, &st) != 0) {
		err_set(err, "it cannot be examined: %s", strerror(errno));
	} else {
		ret->file = (struct file_id){ st.st_dev, st.st_ino };
		if (copy(fd, -1, st.st_size, ret, err) == 0)
			return 0;
	}
	image_drop(ret);
	return -1;
}

void image_drop(struct image *image)
{
	if (image->fd != -1)
		close(image->fd);
	image->fd = -1;
}
