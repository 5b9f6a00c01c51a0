/* seglog_open.c - finds out what a log holds: recovery, by who writes to it, and for readers what came and went since.
 */
#include "journal/seglog_internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Left by a crash: never durable, never acknowledged. */
static void remove_unfinished(const struct seglog *log)
{
	static const char *const suffixes[] = { "tmp", "idx-tmp", "pre", "raw" };
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		uint64_t *v;
		size_t n;
		if (segment_list(log->dir, suffixes[i], &v, &n) != 0)
			continue;
		for (size_t k = 0; k < n; k++) {
			char name[SEGMENT_NAME_SIZE];
			segment_name(v[k], suffixes[i], name);
			unlinkat(log->dir, name, 0);
		}
		free(v);
	}
}

/* Also of those that are set aside: a number is never used twice. */
static int find_highest(struct seglog *log, const char *suffix, uint64_t **ret, size_t *ret_n, struct err *err)
{
	if (segment_list(log->dir, suffix, ret, ret_n) != 0)
		return err_set(err, "cannot list %s: %s", log->path, strerror(errno));
	if (*ret_n && (*ret)[*ret_n - 1] > log->highest)
		log->highest = (*ret)[*ret_n - 1];
	return 0;
}

static int collect(struct seglog *log, uint64_t **ret, size_t *ret_n, struct err *err)
{
	uint64_t *aside;
	size_t n;
	if (log->writable)
		remove_unfinished(log);
	if (find_highest(log, "bad", &aside, &n, err) != 0)
		return -1;
	free(aside);
	return find_highest(log, "seg", ret, ret_n, err);
}

/* A segment whose header is damaged holds nothing that can be used; it is kept for a person to look at. */
static void set_aside(struct seglog *log, uint64_t number, const struct err *why)
{
	char name[SEGMENT_NAME_SIZE], aside[SEGMENT_NAME_SIZE];
	segment_name(number, "seg", name);
	segment_name(number, "bad", aside);
	if (renameat(log->dir, name, log->dir, aside) == 0)
		log_error("journal %s: %s; kept as %s, its events are lost to Patchbay", log->path, why->text, aside);
	else
		log_error("journal %s: %s", log->path, why->text);
}

static bool only_zeros(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[65536];
	char bytes[sizeof zeros];
	while (from < to) {
		ssize_t n = pread(fd, bytes, to - from < sizeof bytes ? to - from : sizeof bytes, (off_t)from);
		if (n <= 0 || memcmp(bytes, zeros, (size_t)n) != 0)
			return false;
		from += (uint64_t)n;
	}
	return true;
}

/* Finds where the last segment ends, and cuts off what is torn. */
static int recover_last(struct seglog *log, struct seglog_segment *s, struct err *err)
{
	struct segment_header h;
	int fd = segment_open(log->dir, s->number, log->writable ? O_RDWR : O_RDONLY, &h, err);
	if (fd == -1)
		return -1;
	uint64_t size = seglog_file_size(fd), bad = 0;
	int64_t end = segment_scan(fd, s->salt, SEGMENT_HEADER_SIZE, size, NULL, NULL, &bad, err);
	if (end == -1)
		goto fail;
	s->end = (uint64_t)end;
	if (!log->writable) {
		close(fd);
		return 0;
	}
	if (bad)
		log_error("journal %s: %" PRIu64 " bytes inside segment %08" PRIx64
			  " cannot be read; all records around them are kept",
			  log->path, bad, s->number);
	log->filled = size;
	if (!only_zeros(fd, s->end, size)) {
		log_warning("journal %s: cut %" PRIu64 " bytes off the end of segment %08" PRIx64
			    ": a write that was interrupted before it was acknowledged",
			    log->path, size - s->end, s->number);
		if (ftruncate(fd, (off_t)s->end) == -1) {
			err_set(err, "cannot cut the torn end off segment %08" PRIx64 ": %s", s->number,
				strerror(errno));
			goto fail;
		}
		log->filled = s->end;
	}
	/* What was found good may never have been synced by the process that wrote it. */
	if (fsync(fd) == -1) {
		err_set(err, "cannot sync segment %08" PRIx64 ": %s", s->number, strerror(errno));
		goto fail;
	}
	log->fd = fd;
	return 0;
fail:
	close(fd);
	return -1;
}

/* The end of a segment whose successor, which would say it, is not there. */
static void find_end(struct seglog *log, struct seglog_segment *s)
{
	struct segment_header h;
	int fd = segment_open(log->dir, s->number, O_RDONLY, &h, NULL);
	if (fd == -1)
		return;
	int64_t end = segment_scan(fd, s->salt, SEGMENT_HEADER_SIZE, s->end, NULL, NULL, NULL, NULL);
	if (end != -1)
		s->end = (uint64_t)end;
	close(fd);
}

/* Adds the segments of these numbers. */
static int add_segments(struct seglog *log, const uint64_t *numbers, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct segment_header h;
		struct err why;
		int fd = segment_open(log->dir, numbers[i], O_RDONLY, &h, &why);
		if (fd == -1 && errno == 0) {
			if (log->writable)
				set_aside(log, numbers[i], &why);
			continue;
		}
		if (fd == -1 && errno == ENOENT) /* a writer in another process has pruned it meanwhile */
			continue;
		if (fd == -1) { /* a later start may be able to read it */
			*err = why;
			return -1;
		}
		if (log->n && log->v[log->n - 1].number == h.previous && h.previous_end < log->v[log->n - 1].end)
			log->v[log->n - 1].end = h.previous_end;
		seglog_add(log, h.number, h.salt, seglog_file_size(fd));
		close(fd);
	}
	return 0;
}

static int load(struct seglog *log, struct err *err)
{
	uint64_t *numbers = NULL;
	size_t n = 0;
	if (collect(log, &numbers, &n, err) != 0)
		return -1;
	int result = add_segments(log, numbers, n, err);
	free(numbers);
	if (result != 0)
		return -1;
	for (size_t i = 0; i + 1 < log->n; i++)
		if (log->v[i].number + 1 != log->v[i + 1].number)
			find_end(log, &log->v[i]);
	return log->n ? recover_last(log, &log->v[log->n - 1], err) : 0;
}

/* ---- Following */

/* Where the last segment ends by now. With a successor that says where, the size of the file will do. */
static int extend_last(struct seglog *log, struct seglog_segment *s, bool has_successor, struct err *err)
{
	struct segment_header h;
	int fd = segment_open(log->dir, s->number, O_RDONLY, &h, err);
	if (fd == -1)
		return -1;
	int64_t end = -1;
	if (h.salt != s->salt)
		err_set(err, "segment %08" PRIx64 " is not the one that it was", s->number);
	else
		end = has_successor ? (int64_t)seglog_file_size(fd)
				    : segment_follow(fd, s->salt, s->end, seglog_file_size(fd), err);
	close(fd);
	if (end == -1)
		return -1;
	s->end = (uint64_t)end;
	return 0;
}

int seglog_refresh(struct seglog *log, struct err *err)
{
	uint64_t *numbers = NULL, known = log->n ? log->v[log->n - 1].number : 0;
	size_t n = 0, old = 0, kept = 0;
	int result = -1;
	if (collect(log, &numbers, &n, err) != 0)
		return -1;
	while (old < n && numbers[old] <= known)
		old++;
	if (known && (!old || numbers[old - 1] != known)) { /* whatever came into it last was not seen */
		err_set(err, "segment %08" PRIx64 " is gone", known);
		goto out;
	}
	for (size_t i = 0, k = 0; i < log->n; i++) { /* without those that were pruned */
		while (k < old && numbers[k] < log->v[i].number)
			k++;
		if (k < old && numbers[k] == log->v[i].number)
			log->v[kept++] = log->v[i];
	}
	log->n = kept;
	if (known && extend_last(log, &log->v[kept - 1], n > old, err) != 0)
		goto out;
	if (n == old) {
		result = 0;
		goto out;
	}
	if (add_segments(log, numbers + old, n - old, err) != 0)
		goto out;
	for (size_t i = kept ? kept - 1 : 0; i + 1 < log->n; i++)
		if (log->v[i].number + 1 != log->v[i + 1].number)
			find_end(log, &log->v[i]);
	result = log->n ? recover_last(log, &log->v[log->n - 1], err) : 0;
out:
	free(numbers);
	return result;
}

/* ---- Opening */

int seglog_sync_parent(const char *folder, struct err *err)
{
	char *parent = xasprintf("%s/..", folder);
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	if (fd == -1 || fsync(fd) == -1)
		result = err_set(err, "cannot sync %s: %s", parent, strerror(errno));
	if (fd != -1)
		close(fd);
	free(parent);
	return result;
}

struct seglog *seglog_open(const char *path, uint64_t segment_bytes, bool writable, struct err *err)
{
	struct seglog *log = xcalloc(1, sizeof *log);
	log->path = xstrdup(path);
	log->writable = writable;
	log->segment_bytes = segment_bytes;
	log->fd = -1;
	pthread_mutex_init(&log->lock, NULL);
	if (writable && mkdir(path, 0750) == -1 && errno != EEXIST) {
		err_set(err, "cannot create the folder %s: %s", path, strerror(errno));
		log->dir = -1;
		goto fail;
	}
	log->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->dir == -1) {
		err_set(err, "cannot open the folder %s: %s", path, strerror(errno));
		goto fail;
	}
	if ((writable && seglog_sync_parent(path, err) != 0) || load(log, err) != 0)
		goto fail;
	if (writable && (log->n == 0 || log->v[log->n - 1].number < log->highest) &&
	    seglog_begin_anew(log, log->highest + 1, err) != 0)
		goto fail;
	return log;
fail:
	seglog_close(log);
	return NULL;
}

void seglog_close(struct seglog *log)
{
	if (!log)
		return;
	if (log->fd != -1)
		close(log->fd);
	if (log->dir != -1)
		close(log->dir);
	pthread_mutex_destroy(&log->lock);
	free(log->v);
	free(log->path);
	free(log);
}
