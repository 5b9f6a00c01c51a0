/* segment.c - creating, opening and scanning one segment file. */
#include "journal/segment.h"

#include "base/clock.h"
#include "base/mem.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char magic[8] = "PBSEG\0\0\1";
#define BYTE_ORDER_MARK 0x01020304u

void segment_name(uint64_t number, const char *suffix, char out[SEGMENT_NAME_SIZE])
{
	snprintf(out, SEGMENT_NAME_SIZE, "%08" PRIx64 ".%s", number, suffix);
}

bool segment_parse_name(const char *name, const char *suffix, uint64_t *ret_number)
{
	char *end;
	if (strspn(name, "0123456789abcdef") < 8)
		return false;
	errno = 0;
	*ret_number = strtoull(name, &end, 16);
	return errno == 0 && *end == '.' && strcmp(end + 1, suffix) == 0;
}

static uint64_t header_checksum(const struct segment_header *h)
{
	return XXH3_64bits(h, offsetof(struct segment_header, checksum));
}

void segment_seal(struct segment_header *h)
{
	memcpy(h->magic, magic, sizeof magic);
	h->byte_order = BYTE_ORDER_MARK;
	h->checksum = header_checksum(h);
}

/* Of a later format only the first eight bytes are known. If the checksum is right but for the version, that is not
 * what it is: then the byte is damaged. */
enum segment_header_state segment_judge(const struct segment_header *h, uint64_t number)
{
	struct segment_header one = *h;
	one.magic[7] = magic[7];
	bool whole = h->checksum == header_checksum(h), whole_as_one = h->checksum == header_checksum(&one);
	if (memcmp(h->magic, magic, sizeof magic - 1) != 0)
		return SEGMENT_DAMAGED;
	if ((unsigned char)h->magic[7] > (unsigned char)magic[7] && (whole || !whole_as_one))
		return SEGMENT_NEWER;
	if (h->byte_order == __builtin_bswap32(BYTE_ORDER_MARK))
		return SEGMENT_FOREIGN;
	return whole && h->magic[7] == magic[7] && h->byte_order == BYTE_ORDER_MARK && h->number == number
		       ? SEGMENT_SOUND
		       : SEGMENT_DAMAGED;
}

#define PREPARE_CHUNK (UINT64_C(1) << 20) /* small, so that nobody's sync has to wait for much of it */

bool segment_prepare(int dir, uint64_t number, uint64_t bytes, const atomic_bool *stop)
{
	/* It gets the name by which segment_create() takes it when it is done: nobody may fill a segment that is in
	 * use. */
	char name[SEGMENT_NAME_SIZE], done[SEGMENT_NAME_SIZE];
	segment_name(number, "raw", name);
	segment_name(number, "pre", done);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd == -1)
		return false;
	char *zeros = xcalloc(1, PREPARE_CHUNK);
	bool ok = true;
	for (uint64_t at = 0; ok && at < bytes; at += PREPARE_CHUNK) {
		size_t n = bytes - at < PREPARE_CHUNK ? (size_t)(bytes - at) : PREPARE_CHUNK;
		ok = !atomic_load(stop) && pwrite(fd, zeros, n, (off_t)at) == (ssize_t)n && fdatasync(fd) == 0;
	}
	free(zeros);
	close(fd);
	ok = ok && renameat(dir, name, dir, done) == 0;
	if (!ok)
		unlinkat(dir, name, 0);
	return ok;
}

int segment_create(int dir, uint64_t number, uint64_t previous, uint64_t previous_end, struct segment_header *ret,
		   struct err *err)
{
	char name[SEGMENT_NAME_SIZE], temporary[SEGMENT_NAME_SIZE];
	segment_name(number, "seg", name);
	segment_name(number, "tmp", temporary);
	struct segment_header h = {
		.number = number, .previous_end = previous_end, .previous = previous, .created_ns = clock_wall_ns()
	};
	if (getrandom(&h.salt, sizeof h.salt, 0) != (ssize_t)sizeof h.salt)
		return err_set(err, "no random numbers: %s", strerror(errno));
	segment_seal(&h);

	char prepared[SEGMENT_NAME_SIZE];
	segment_name(number, "pre", prepared);
	bool ready = renameat(dir, prepared, dir, temporary) == 0;
	int fd = openat(dir, temporary, O_RDWR | O_CREAT | O_CLOEXEC | (ready ? 0 : O_TRUNC), 0640);
	if (fd == -1)
		return err_set(err, "cannot create %s: %s", temporary, strerror(errno));
	ssize_t put = pwrite(fd, &h, sizeof h, 0);
	if (put != (ssize_t)sizeof h) {
		err_set(err, "cannot write %s: %s", temporary, put == -1 ? strerror(errno) : "disk full");
		goto fail;
	}
	if (fsync(fd) == -1 || renameat(dir, temporary, dir, name) == -1 || fsync(dir) == -1) {
		err_set(err, "cannot make %s durable: %s", name, strerror(errno));
		goto fail;
	}
	*ret = h;
	return fd;
fail:
	close(fd);
	unlinkat(dir, temporary, 0);
	return -1;
}

int segment_open(int dir, uint64_t number, int flags, struct segment_header *ret, struct err *err)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(number, "seg", name);
	int fd = openat(dir, name, flags | O_CLOEXEC);
	int why = errno;
	if (fd == -1) {
		err_set(err, "cannot open %s: %s", name, strerror(why));
		errno = why;
		return -1;
	}
	struct segment_header h;
	ssize_t got = pread(fd, &h, sizeof h, 0);
	why = got == -1 ? errno : 0;
	if (got != (ssize_t)sizeof h)
		err_set(err, "%s: %s", name, got == -1 ? strerror(why) : "too short for its header");
	else
		switch (segment_judge(&h, number)) {
		case SEGMENT_SOUND:
			*ret = h;
			return fd;
		case SEGMENT_NEWER:
			err_set(err,
				"%s has format %d, this program reads %d: it was written by a newer Patchbay; install "
				"that one again. Nothing was changed",
				name, (unsigned char)h.magic[7], magic[7]);
			why = ENOTSUP;
			break;
		case SEGMENT_FOREIGN:
			err_set(err,
				"%s was written by a machine of the other byte order; move events with `patchbay "
				"journal export` and `import`",
				name);
			why = ENOTSUP;
			break;
		case SEGMENT_DAMAGED:
			err_set(err, "the header of %s is damaged", name);
			break;
		}
	close(fd);
	errno = why;
	return -1;
}

#define SCAN_CHUNK (UINT64_C(1) << 20)

/* A window of the file in memory that holds at least `want` bytes from `offset`, if the file does. */
struct window {
	char *p;
	size_t room, n;
	uint64_t offset;
};

static int window_at(struct window *w, int fd, uint64_t offset, uint64_t want, uint64_t end, struct err *err)
{
	if (offset + want > end)
		want = end - offset;
	if (offset >= w->offset && offset + want <= w->offset + w->n)
		return 0;
	uint64_t n = want < SCAN_CHUNK ? SCAN_CHUNK : want;
	if (offset + n > end)
		n = end - offset;
	if (n > w->room) {
		free(w->p);
		w->p = xmalloc(n);
		w->room = n;
	}
	w->offset = offset;
	w->n = 0;
	while (w->n < n) {
		ssize_t got = pread(fd, w->p + w->n, n - w->n, (off_t)(offset + w->n));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_set(err, "cannot read a segment at %" PRIu64 ": %s", offset, strerror(errno));
		if (got == 0)
			break;
		w->n += (size_t)got;
	}
	return 0;
}

/* The size of the good record that stands at `at`, and w->p holds then; 0: there is none; -1: read error. */
static int64_t good_record(struct window *w, int fd, uint64_t salt, uint64_t at, uint64_t end, struct err *err)
{
	const struct record_head *head;
	if (window_at(w, fd, at, sizeof *head, end, err) != 0)
		return -1;
	if (w->offset + w->n < at + sizeof *head)
		return 0;
	head = (const void *)(w->p + (at - w->offset));
	if (head->magic != RECORD_MAGIC || head->size > RECORD_SIZE_MAX || head->size > end - at)
		return 0;
	if (window_at(w, fd, at, head->size, end, err) != 0)
		return -1;
	head = (const void *)(w->p + (at - w->offset));
	return record_valid(head, w->n - (at - w->offset), salt) ? (int64_t)head->size : 0;
}

int64_t segment_scan(int fd, uint64_t salt, uint64_t from, uint64_t end, segment_each each, void *ctx,
		     uint64_t *ret_bad, struct err *err)
{
	struct window w = { 0 };
	uint64_t at = from, good_end = from, bad = 0;
	int64_t size = 0;
	while (at + sizeof(struct record_head) <= end && (size = good_record(&w, fd, salt, at, end, err)) != -1) {
		if (size == 0) {
			at += RECORD_ALIGN;
			continue;
		}
		bad += at - good_end;
		if (each)
			each(ctx, at, (const void *)(w.p + (at - w.offset)));
		at += (uint64_t)size;
		good_end = at;
	}
	if (ret_bad)
		*ret_bad = bad;
	free(w.p);
	return size == -1 ? -1 : (int64_t)good_end;
}

int64_t segment_follow(int fd, uint64_t salt, uint64_t from, uint64_t end, struct err *err)
{
	struct window w = { 0 };
	int64_t size = 0;
	while (from + sizeof(struct record_head) <= end && (size = good_record(&w, fd, salt, from, end, err)) > 0)
		from += (uint64_t)size;
	free(w.p);
	return size == -1 ? -1 : (int64_t)from;
}
