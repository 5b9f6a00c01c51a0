/* seglog.c - see seglog.h: looking, appending, pruning. The table of segments is guarded by one mutex, which nobody
 * holds across I/O. */
#include "journal/seglog_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void seglog_add(struct seglog *log, uint64_t number, uint64_t salt, uint64_t end)
{
	if (log->n == log->room) {
		log->room = log->room ? log->room * 2 : 64;
		log->v = xrealloc(log->v, log->room * sizeof *log->v);
	}
	log->v[log->n++] = (struct seglog_segment){ .number = number, .salt = salt, .end = end };
}

uint64_t seglog_file_size(int fd)
{
	struct stat st;
	return fstat(fd, &st) == -1 ? 0 : (uint64_t)st.st_size;
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

/* ---- Appending */

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
	log->filled = seglog_file_size(fd);
	log->cut_needed = false;
	pthread_mutex_lock(&log->lock);
	seglog_add(log, number, h.salt, SEGMENT_HEADER_SIZE);
	pthread_mutex_unlock(&log->lock);
	return 0;
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
		log_error("journal %s: the disk lost acknowledged bytes of segment %08" PRIx64
			  ": restore from a copy if there is one",
			  log->path, s->number);
	else
		log_info("journal %s: all acknowledged records of segment %08" PRIx64 " were read back whole",
			 log->path, s->number);
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
	if (seglog_begin_anew(log, last.number + 1, err) != 0)
		return -1;
	if (abandoned)
		verify_abandoned(log, &last);
	return 0;
}

int seglog_reserve(struct seglog *log, struct journal_pos *ret, uint64_t *ret_salt, struct err *err)
{
	struct journal_pos end = seglog_end(log);
	if (log->fd != -1 && log->cut_needed) {
		if (ftruncate(log->fd, (off_t)end.lo) == -1)
			return err_set(err, "cannot cut a failed write off segment %08" PRIx64 ": %s", end.hi,
				       strerror(errno));
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
			if (put == -1 && errno == EBADF)
				guard_descriptor_lost();
			err_set(err, "cannot write to %s: %s", log->path, put == -1 ? strerror(errno) : "disk full");
			log->cut_needed = true;
			struct err ignored;
			struct journal_pos at;
			uint64_t salt;
			/* gives the space back at once; if not now, then before the next write */
			seglog_reserve(log, &at, &salt, &ignored);
			return -1;
		}
		done += (size_t)put;
	}
	if (fdatasync(log->fd) == -1) {
		if (errno == EBADF)
			guard_descriptor_lost();
		err_set(err, "cannot sync segment %08" PRIx64 " of %s: %s; it is abandoned, a new one is begun", end.hi,
			log->path, strerror(errno));
		/* So that a restart before the next segment exists does not find what nobody acknowledged. */
		if (ftruncate(log->fd, (off_t)end.lo) == -1)
			log_limited(&log->uncut, LOG_LEVEL_ERROR, "journal %s: cannot cut segment %08" PRIx64 ": %s",
				    log->path, end.hi, strerror(errno));
		close(log->fd);
		log->fd = -1;
		return -1;
	}
	pthread_mutex_lock(&log->lock);
	log->v[log->n - 1].end = end.lo + n;
	pthread_mutex_unlock(&log->lock);
	return 0;
}

#define PREPARE_ROOM 32u                      /* segments that must fit on the disk */
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
