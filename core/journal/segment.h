/* segment.h - one file of the log: a header, then records. Files are named by number (0000000a.seg) and
 * appear whole: the header is durable before the name is. Beside each finished one stands its index
 * (0000000a.idx): what dedupe and look-ups need of every record, so that a start does not read the
 * events. An index that is missing or harmed is made again from its segment. */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "base/err.h"
#include "journal/record.h"

#include <stdatomic.h>

#define SEGMENT_HEADER_SIZE 64u

struct segment_header {
	char magic[8];       /* "PBSEG\0\0\1": the last byte is the version of the format */
	uint32_t byte_order; /* 0x01020304 */
	uint32_t unused;
	uint64_t number;
	uint64_t salt;         /* random; seeds the checksums, so that no stale or forged record passes */
	uint64_t previous_end; /* segment `previous` is good up to here, whatever stands behind */
	int64_t created_ns;
	uint64_t previous; /* number of the segment before this one; 0: there was none */
	uint64_t checksum;
};
_Static_assert(sizeof(struct segment_header) == SEGMENT_HEADER_SIZE, "the header is part of the file format");

#define SEGMENT_NAME_SIZE 32
void segment_name(uint64_t number, const char *suffix, char out[SEGMENT_NAME_SIZE]); /* suffix "seg", "idx" */
bool segment_parse_name(const char *name, const char *suffix, uint64_t *ret_number);
/* The numbers of all files of that suffix in a folder, ascending; free() them. -1: errno. */
int segment_list(int dir, const char *suffix, uint64_t **ret, size_t *ret_n);

/* Fills a file with zeros that segment_create() will take for this number: to overwrite costs a sync half of what it
 * costs to append. It is an improvement only: failure, a full disk say, leaves nothing behind. */
bool segment_prepare(int dir, uint64_t number, uint64_t bytes, const atomic_bool *stop);
/* Creates and makes durable; returns the descriptor, open for writing. What stands behind the header is zeros, or
 * nothing. */
int segment_create(int dir, uint64_t number, uint64_t previous, uint64_t previous_end, struct segment_header *ret,
		   struct err *err);
/* Opens, checks the header; returns the descriptor. flags: O_RDONLY or O_RDWR. On failure errno is that of the
 * system, ENOTSUP: of another version or machine, or 0: it can be read, but is no good. */
int segment_open(int dir, uint64_t number, int flags, struct segment_header *ret, struct err *err);

enum segment_header_state {
	SEGMENT_SOUND,
	SEGMENT_DAMAGED,
	SEGMENT_NEWER,   /* of a later format: left alone by whoever does not know it */
	SEGMENT_FOREIGN, /* of a machine of the other byte order */
};
enum segment_header_state segment_judge(const struct segment_header *, uint64_t number);
/* Fills in what is the same in all headers, and the checksum. */
void segment_seal(struct segment_header *);

/* Calls back for each good record from offset `from` up to `end`. What is between good records is
 * passed over. Returns the end of the last good record (at least `from`), and in *ret_bad how many bytes
 * before that end were not readable as records. -1: read error. */
typedef void (*segment_each)(void *ctx, uint64_t offset, const struct record_head *);
int64_t segment_scan(int fd, uint64_t salt, uint64_t from, uint64_t end, segment_each each, void *ctx,
		     uint64_t *ret_bad, struct err *err);
/* Where the good records that follow each other from offset `from` on end: what stands behind them is not looked at.
 * -1: read error. */
int64_t segment_follow(int fd, uint64_t salt, uint64_t from, uint64_t end, struct err *err);

struct index_entry {
	uint32_t offset;
	uint8_t kind, dedupe, flags, unused;
	struct id id; /* of an answer: of the event it is about */
	int64_t received_ns;
	struct hash128 key, token, data;
};

struct index {
	struct index_entry *v;
	size_t n;
	int64_t first_ms, last_ms; /* received; 0 when empty */
};

void index_free(struct index *);
/* From the sidecar if it is whole and belongs to this segment, else from the segment; in the latter
 * case it is written when `write` (failure to write is no failure). */
int index_load(int dir, uint64_t number, uint64_t end, bool write, struct index *ret, struct err *err);
/* Always from the segment. */
int index_make(int dir, uint64_t number, uint64_t end, struct index *ret, struct err *err);
/* Only the sidecar, also when its segment is gone. On failure errno is that of the system, or 0: it is no good. */
int index_load_sidecar(int dir, uint64_t number, struct index *ret);
/* Reads no more of the sidecar than when its newest record was received (0: it has none). Unless salt is 0, it
 * must belong to that segment. On failure errno as above. */
int index_last_ms(int dir, uint64_t number, uint64_t salt, uint64_t end, int64_t *ret);
/* Which segment's it says to be. */
int index_salt(int dir, uint64_t number, uint64_t *ret);
void index_entry_of(uint64_t offset, const struct record_head *, struct index_entry *ret);

#endif
