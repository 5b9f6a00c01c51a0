/* index.c - the sidecar of a finished segment. */
#include "journal/segment.h"

#include "base/log.h"
#include "base/mem.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct index_header {
	char magic[8]; /* "PBIDX\0\0\1" */
	uint64_t salt; /* of the segment */
	uint64_t end;  /* of the segment */
	uint64_t n;
	int64_t first_ms, last_ms;
	uint64_t checksum; /* of the entries, seeded with all of the above */
};
_Static_assert(sizeof(struct index_entry) == 80, "entries are part of the file format");

static const char magic[8] = "PBIDX\0\0\1";

static uint64_t index_checksum(const struct index_header *h, const struct index_entry *v)
{
	uint64_t seed = XXH3_64bits(h, offsetof(struct index_header, checksum));
	return XXH3_64bits_withSeed(v, h->n * sizeof *v, seed);
}

void index_free(struct index *index)
{
	free(index->v);
	*index = (struct index){ 0 };
}

void index_entry_of(uint64_t offset, const struct record_head *head, struct index_entry *ret)
{
	*ret = (struct index_entry){
		.offset = (uint32_t)offset,
		.kind = head->kind,
		.dedupe = head->dedupe,
		.flags = head->flags,
		.id = head->kind == JOURNAL_ANSWER ? head->original : head->id,
		.received_ns = head->received_ns,
		.key = head->key,
		.token = head->token,
		.data = head->data,
	};
}

static bool read_all(int fd, void *p, size_t n, off_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, (char *)p + done, n - done, at + (off_t)done);
		if (got <= 0 && !(got == -1 && errno == EINTR))
			return false;
		if (got > 0)
			done += (size_t)got;
	}
	return true;
}

/* Opens the sidecar and reads its header; the descriptor, or -1. */
static int open_sidecar(int dir, uint64_t number, struct index_header *h)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(number, "idx", name);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	struct stat st;
	errno = 0;
	/* n comes from the file: believe it only if the file is as long as it says */
	if (read_all(fd, h, sizeof *h, 0) && memcmp(h->magic, magic, sizeof magic) == 0 && fstat(fd, &st) == 0 &&
	    h->n <= UINT32_MAX && (uint64_t)st.st_size == sizeof *h + h->n * sizeof(struct index_entry))
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

int index_last_ms(int dir, uint64_t number, uint64_t salt, uint64_t end, int64_t *ret)
{
	struct index_header h;
	int fd = open_sidecar(dir, number, &h);
	if (fd == -1)
		return -1;
	close(fd);
	*ret = h.last_ms;
	errno = 0;
	return salt == 0 || (h.salt == salt && h.end == end) ? 0 : -1;
}

int index_salt(int dir, uint64_t number, uint64_t *ret)
{
	struct index_header h;
	int fd = open_sidecar(dir, number, &h);
	if (fd == -1)
		return -1;
	close(fd);
	*ret = h.salt;
	return 0;
}

static int load_sidecar(int dir, uint64_t number, struct index_header *h, struct index *ret)
{
	int fd = open_sidecar(dir, number, h);
	if (fd == -1)
		return -1;
	struct index index = { 0 };
	int result = -1;
	errno = 0;
	index.n = h->n;
	index.first_ms = h->first_ms;
	index.last_ms = h->last_ms;
	index.v = xmalloc(index.n * sizeof *index.v + 1);
	if (!read_all(fd, index.v, index.n * sizeof *index.v, sizeof *h) || h->checksum != index_checksum(h, index.v))
		goto out;
	*ret = index;
	index.v = NULL;
	result = 0;
out:;
	int why = errno;
	free(index.v);
	close(fd);
	errno = why;
	return result;
}

int index_load_sidecar(int dir, uint64_t number, struct index *ret)
{
	struct index_header h;
	return load_sidecar(dir, number, &h, ret);
}

struct building {
	struct index index;
	size_t room;
};

static void add_entry(void *ctx, uint64_t offset, const struct record_head *head)
{
	struct building *b = ctx;
	if (b->index.n == b->room) {
		b->room = b->room ? b->room * 2 : 1024;
		b->index.v = xrealloc(b->index.v, b->room * sizeof *b->index.v);
	}
	index_entry_of(offset, head, &b->index.v[b->index.n++]);
	int64_t ms = head->received_ns / 1000000, made_ms = id_time_ms(&head->id);
	if (ms < made_ms) /* it is looked for by its id, which may be newer: see JOURNAL_FLAG_LATE */
		ms = made_ms;
	if (b->index.first_ms == 0 || ms < b->index.first_ms)
		b->index.first_ms = ms;
	if (ms > b->index.last_ms)
		b->index.last_ms = ms;
}

static void write_sidecar(int dir, uint64_t number, uint64_t salt, uint64_t end, const struct index *index)
{
	char name[SEGMENT_NAME_SIZE], temporary[SEGMENT_NAME_SIZE];
	segment_name(number, "idx", name);
	segment_name(number, "idx-tmp", temporary);
	struct index_header h = {
		.salt = salt, .end = end, .n = index->n, .first_ms = index->first_ms, .last_ms = index->last_ms
	};
	memcpy(h.magic, magic, sizeof magic);
	h.checksum = index_checksum(&h, index->v);
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd == -1)
		return;
	size_t n = index->n * sizeof *index->v;
	bool ok = pwrite(fd, &h, sizeof h, 0) == (ssize_t)sizeof h;
	for (size_t done = 0; ok && done < n;) {
		ssize_t put = pwrite(fd, (const char *)index->v + done, n - done, (off_t)(sizeof h + done));
		ok = put > 0;
		done += ok ? (size_t)put : 0;
	}
	ok = ok && fdatasync(fd) == 0;
	close(fd);
	if (!ok || renameat(dir, temporary, dir, name) == -1)
		unlinkat(dir, temporary, 0);
}

int index_load(int dir, uint64_t number, uint64_t end, bool write, struct index *ret, struct err *err)
{
	struct segment_header segment;
	int fd = segment_open(dir, number, O_RDONLY, &segment, err);
	if (fd == -1)
		return -1;
	struct index_header h;
	struct building b = { 0 };
	int result = 0;
	if (load_sidecar(dir, number, &h, &b.index) == 0) {
		if (h.salt == segment.salt && h.end == end)
			goto out;
		index_free(&b.index);
	}
	uint64_t bad = 0;
	int64_t good_end = segment_scan(fd, segment.salt, SEGMENT_HEADER_SIZE, end, add_entry, &b, &bad, err);
	if (good_end == -1) {
		index_free(&b.index);
		result = -1;
		goto out;
	}
	bad += end - (uint64_t)good_end;
	if (bad && write)
		log_error("journal: %" PRIu64 " bytes of segment %08" PRIx64
			  " are damaged; the events that stood there are lost, all others "
			  "are kept",
			  bad, number);
	if (write)
		write_sidecar(dir, number, segment.salt, end, &b.index);
out:
	if (result == 0)
		*ret = b.index;
	close(fd);
	return result;
}

int index_make(int dir, uint64_t number, uint64_t end, struct index *ret, struct err *err)
{
	struct segment_header segment;
	struct building b = { 0 };
	int fd = segment_open(dir, number, O_RDONLY, &segment, err);
	if (fd == -1)
		return -1;
	int64_t good_end = segment_scan(fd, segment.salt, SEGMENT_HEADER_SIZE, end, add_entry, &b, NULL, err);
	close(fd);
	*ret = b.index;
	if (good_end == -1)
		index_free(ret);
	return good_end == -1 ? -1 : 0;
}
