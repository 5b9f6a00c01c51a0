/* seglog.c - see seglog.h. The table of segments is guarded by one mutex, which nobody holds across I/O. */
#include "journal/seglog.h"

#include "base/log.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct seglog {
	char *path;
	int dir;
	bool writable;
	uint64_t segment_bytes;
	pthread_mutex_t lock;
	struct seglog_segment *v; /* lock; ascending */
	size_t n, room;           /* lock */
	uint64_t highest;         /* number that was found while opening, of segments set aside, too */
	_Atomic uint64_t prepared; /* number of the segment that is prepared */
	uint64_t tried;            /* the preparing thread's: number of the last one that it tried to prepare */
	/* the appending thread's */
	int fd;          /* of the last segment; -1 when abandoned */
	uint64_t filled; /* size of its file: zeros behind the end, if it was prepared */
	bool cut_needed; /* bytes of a failed write may stand behind the end */
};

static int collect(struct seglog *log, uint64_t **ret, size_t *ret_n, struct err *err)
{
	int fd = openat(log->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	if (!d)
		return err_set(err, "cannot list %s: %s", log->path, strerror(errno));
	uint64_t *v = NULL, number;
	size_t n = 0, room = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (log->writable && (segment_parse_name(e->d_name, "tmp", &number) || segment_parse_name(e->d_name, "idx-tmp", &number) ||
		                      segment_parse_name(e->d_name, "pre", &number) || segment_parse_name(e->d_name, "raw", &number)))
			unlinkat(log->dir, e->d_name, 0); /* left by a crash: never durable, never acknowledged */
		bool aside = segment_parse_name(e->d_name, "bad", &number);
		if (!aside && !segment_parse_name(e->d_name, "seg", &number))
			continue;
		if (number > log->highest)
			log->highest = number;
		if (aside)
			continue;
		if (n == room) {
			room = room ? room * 2 : 64;
			v = xrealloc(v, room * sizeof *v);
		}
		size_t i = n++;
		for (; i > 0 && v[i - 1] > number; i--)
			v[i] = v[i - 1];
		v[i] = number;
	}
	closedir(d);
	*ret = v;
	*ret_n = n;
	return 0;
}

/* Caller holds the lock, or is alone. */
static struct seglog_segment *add_segment(struct seglog *log, uint64_t number, uint64_t salt, uint64_t end)
{
	if (log->n == log->room) {
		log->room = log->room ? log->room * 2 : 64;
		log->v = xrealloc(log->v, log->room * sizeof *log->v);
	}
	log->v[log->n] = (struct seglog_segment){ .number = number, .salt = salt, .end = end };
	return &log->v[log->n++];
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

static uint64_t file_size(int fd)
{
	struct stat st;
	return fstat(fd, &st) == -1 ? 0 : (uint64_t)st.st_size;
}

int seglog_begin_anew(struct seglog *log, uint64_t number, struct err *err)
{
	struct journal_pos end = seglog_end(log);
	struct segment_header h;
	int fd = segment_create(log->dir, number, end.hi, end.lo, &h, err);
	if (fd == -1)
		return -1;
	if (log->fd != -1)
		close(log->fd);
	log->fd = fd;
	log->filled = file_size(fd);
	pthread_mutex_lock(&log->lock);
	add_segment(log, number, h.salt, SEGMENT_HEADER_SIZE);
	pthread_mutex_unlock(&log->lock);
	return 0;
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
	uint64_t size = file_size(fd), bad = 0;
	int64_t end = segment_scan(fd, s->salt, SEGMENT_HEADER_SIZE, size, NULL, NULL, &bad, err);
	if (end == -1)
		goto fail;
	s->end = (uint64_t)end;
	if (!log->writable) {
		close(fd);
		return 0;
	}
	if (bad)
		log_error("journal %s: %" PRIu64 " bytes inside segment %08" PRIx64 " cannot be read; all records around them are kept",
		          log->path, bad, s->number);
	log->filled = size;
	if (!only_zeros(fd, s->end, size)) {
		log_warning("journal %s: cut %" PRIu64 " bytes off the end of segment %08" PRIx64
		            ": a write that was interrupted before it was acknowledged",
		            log->path, size - s->end, s->number);
		if (ftruncate(fd, (off_t)s->end) == -1) {
			err_set(err, "cannot cut the torn end off segment %08" PRIx64 ": %s", s->number, strerror(errno));
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
		add_segment(log, h.number, h.salt, file_size(fd));
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
		end = has_successor ? (int64_t)file_size(fd)
				    : segment_follow(fd, s->salt, s->end, file_size(fd), err);
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

struct journal_pos seglog_end(struct seglog *log)
{
	pthread_mutex_lock(&log->lock);
	struct journal_pos pos = { 0, 0 };
	if (log->n)
		pos = (struct journal_pos){ log->v[log->n - 1].number, log->v[log->n - 1].end };
	pthread_mutex_unlock(&log->lock);
	return pos;
}

struct journal_pos seglog_start(struct seglog *log)
{
	pthread_mutex_lock(&log->lock);
	struct journal_pos pos = { log->n ? log->v[0].number : 0, SEGMENT_HEADER_SIZE };
	pthread_mutex_unlock(&log->lock);
	return pos;
}

size_t seglog_count(struct seglog *log)
{
	pthread_mutex_lock(&log->lock);
	size_t n = log->n;
	pthread_mutex_unlock(&log->lock);
	return n;
}

bool seglog_at(struct seglog *log, size_t i, struct seglog_segment *ret)
{
	pthread_mutex_lock(&log->lock);
	bool there = i < log->n;
	if (there)
		*ret = log->v[i];
	pthread_mutex_unlock(&log->lock);
	return there;
}

bool seglog_find(struct seglog *log, uint64_t number, struct seglog_segment *ret, bool *ret_last)
{
	pthread_mutex_lock(&log->lock);
	size_t low = 0, high = log->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (log->v[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	bool there = low < log->n;
	if (there) {
		*ret = log->v[low];
		if (ret_last)
			*ret_last = low + 1 == log->n;
	}
	pthread_mutex_unlock(&log->lock);
	return there;
}

uint64_t seglog_bytes(struct seglog *log)
{
	pthread_mutex_lock(&log->lock);
	uint64_t bytes = 0;
	for (size_t i = 0; i < log->n; i++)
		bytes += log->v[i].end;
	pthread_mutex_unlock(&log->lock);
	return bytes;
}

int seglog_dir(const struct seglog *log)
{
	return log->dir;
}

/* Reads what is acknowledged in the abandoned file back from the disk: did it keep its word? */
static void verify_abandoned(struct seglog *log, const struct seglog_segment *s)
{
	struct segment_header h;
	struct err err;
	int fd = segment_open(log->dir, s->number, O_RDONLY, &h, &err);
	uint64_t bad = 0;
	int64_t end = -1;
	if (fd != -1) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		end = segment_scan(fd, s->salt, SEGMENT_HEADER_SIZE, s->end, NULL, NULL, &bad, &err);
		close(fd);
	}
	if (end == -1)
		log_error("journal %s: segment %08" PRIx64 " cannot be read back: %s", log->path, s->number, err.text);
	else if (bad || (uint64_t)end != s->end)
		log_error("journal %s: the disk lost acknowledged bytes of segment %08" PRIx64 ": restore from a copy if there is one",
		          log->path, s->number);
	else
		log_info("journal %s: all acknowledged records of segment %08" PRIx64 " were read back whole", log->path, s->number);
}

/* Of a writable log, which always has one. */
static struct seglog_segment last_segment(struct seglog *log)
{
	pthread_mutex_lock(&log->lock);
	struct seglog_segment last = log->v[log->n - 1];
	pthread_mutex_unlock(&log->lock);
	return last;
}

static int next_segment(struct seglog *log, struct err *err)
{
	struct seglog_segment last = last_segment(log);
	bool abandoned = log->fd == -1;
	struct segment_header h;
	int fd = segment_create(log->dir, last.number + 1, last.number, last.end, &h, err);
	if (fd == -1)
		return -1;
	if (!abandoned)
		close(log->fd);
	log->fd = fd;
	log->filled = file_size(fd);
	log->cut_needed = false;
	pthread_mutex_lock(&log->lock);
	add_segment(log, h.number, h.salt, SEGMENT_HEADER_SIZE);
	pthread_mutex_unlock(&log->lock);
	if (abandoned)
		verify_abandoned(log, &last);
	return 0;
}

int seglog_reserve(struct seglog *log, struct journal_pos *ret, uint64_t *ret_salt, struct err *err)
{
	struct journal_pos end = seglog_end(log);
	if (log->fd != -1 && log->cut_needed) {
		if (ftruncate(log->fd, (off_t)end.lo) == -1)
			return err_set(err, "cannot cut a failed write off segment %08" PRIx64 ": %s", end.hi, strerror(errno));
		log->cut_needed = false;
		log->filled = end.lo;
	}
	/* A file that has zeros ahead is quicker, so change to one as soon as there is one. */
	bool quicker = end.lo >= log->filled && atomic_load(&log->prepared) == end.hi + 1;
	if ((log->fd == -1 || end.lo >= log->segment_bytes || quicker) && next_segment(log, err) != 0)
		return -1;
	struct seglog_segment last = last_segment(log);
	*ret = (struct journal_pos){ last.number, last.end };
	*ret_salt = last.salt;
	return 0;
}

int seglog_commit(struct seglog *log, const void *p, size_t n, struct err *err)
{
	struct journal_pos end = seglog_end(log);
	for (size_t done = 0; done < n;) {
		ssize_t put = pwrite(log->fd, (const char *)p + done, n - done, (off_t)(end.lo + done));
		if (put == -1 && errno == EINTR)
			continue;
		if (put <= 0) {
			err_set(err, "cannot write to %s: %s", log->path, put == -1 ? strerror(errno) : "disk full");
			log->cut_needed = true;
			struct err ignored;
			struct journal_pos at;
			uint64_t salt;
			seglog_reserve(log, &at, &salt, &ignored); /* gives the space back at once; if not now, then before the next write */
			return -1;
		}
		done += (size_t)put;
	}
	if (fdatasync(log->fd) == -1) {
		err_set(err, "cannot sync segment %08" PRIx64 " of %s: %s; it is abandoned, a new one is begun", end.hi,
		        log->path, strerror(errno));
		/* So that a restart before the next segment exists does not find what nobody acknowledged. */
		if (ftruncate(log->fd, (off_t)end.lo) == -1)
			log_error("journal %s: cannot cut segment %08" PRIx64 ": %s", log->path, end.hi, strerror(errno));
		close(log->fd);
		log->fd = -1;
		return -1;
	}
	pthread_mutex_lock(&log->lock);
	log->v[log->n - 1].end = end.lo + n;
	pthread_mutex_unlock(&log->lock);
	return 0;
}

#define PREPARE_ROOM 32u                       /* segments that must fit on the disk */
#define PREPARE_MIN_BYTES (UINT64_C(1) << 20) /* smaller segments are not worth it */

void seglog_prepare(struct seglog *log, const atomic_bool *stop)
{
	struct statvfs room;
	uint64_t next = last_segment(log).number + 1;
	if (next == log->tried || log->segment_bytes < PREPARE_MIN_BYTES || fstatvfs(log->dir, &room) == -1 ||
	    room.f_bavail * room.f_frsize < log->segment_bytes * PREPARE_ROOM)
		return;
	log->tried = next;
	if (!segment_prepare(log->dir, next, log->segment_bytes, stop))
		return;
	atomic_store(&log->prepared, next);
	if (last_segment(log).number >= next) { /* too late */
		char name[SEGMENT_NAME_SIZE];
		segment_name(next, "pre", name);
		unlinkat(log->dir, name, 0);
	}
}

void seglog_prune(struct seglog *log, uint64_t number)
{
	for (;;) {
		struct seglog_segment first;
		pthread_mutex_lock(&log->lock);
		bool gone = log->n > 1 && log->v[0].number < number;
		if (gone) {
			first = log->v[0];
			memmove(log->v, log->v + 1, --log->n * sizeof *log->v);
		}
		pthread_mutex_unlock(&log->lock);
		if (!gone)
			return;
		char name[SEGMENT_NAME_SIZE];
		segment_name(first.number, "seg", name);
		unlinkat(log->dir, name, 0);
	}
}

void seglog_set_last_ms(struct seglog *log, uint64_t number, int64_t last_ms)
{
	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].number == number)
			log->v[i].last_ms = last_ms;
	pthread_mutex_unlock(&log->lock);
}
