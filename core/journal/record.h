/* record.h - how one record stands in a segment: a fixed head, then its texts, then its data, padded to
 * eight bytes. Numbers are in the machine's order, which the segment's header records. */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "journal/journal.h"

#define RECORD_MAGIC 0x44524250u /* "PBRD" */
#define RECORD_ALIGN 8u
#define RECORD_SIZE_MAX (UINT32_C(80) << 20) /* a body of the largest limit, and its texts */

struct hash128 {
	uint64_t hi, lo;
};

struct record_head {
	uint64_t checksum;     /* over all that follows, seeded with the segment's salt */
	uint32_t magic;
	uint32_t size;         /* of the whole record, a multiple of RECORD_ALIGN */
	uint8_t kind, dedupe, flags, version; /* version 1 */
	uint32_t data_size;
	struct id id, original;
	int64_t received_ns, time_ns;
	struct hash128 key;    /* of source, dedupe class and key; zero = none */
	struct hash128 token;  /* of source and token; zero = none */
	struct hash128 data;   /* LATEST and UNANSWERED only */
	uint32_t request_size;
	uint16_t source, plugin, type, kind_name, subject, key_text, token_text, client, note; /* lengths */
	uint16_t unused;       /* 0 */
};

_Static_assert(sizeof(struct record_head) == 144, "the head is part of the file format");

/* Appends a record to the buffer; checksum and anything that only the writer knows are still zero. Texts
 * longer than 64 KiB are cut: callers bound what has a meaning. */
void record_encode(struct buf *, const struct journal_record *);

/* What the head has of these. */
struct hash128 record_key(uint8_t dedupe, patchbay_str source, patchbay_str key);
struct hash128 record_data(patchbay_str source, patchbay_str data);

void record_seal(struct record_head *, uint64_t salt); /* last: computes the checksum */

/* Is there a whole, unharmed record at p, of which `n` bytes are readable? */
bool record_valid(const void *p, size_t n, uint64_t salt);

/* The texts point into the record. The record is valid. */
void record_decode(const struct record_head *, struct journal_record *ret);

static inline bool hash128_eq(struct hash128 a, struct hash128 b)
{
	return a.hi == b.hi && a.lo == b.lo;
}
static inline bool hash128_none(struct hash128 a)
{
	return a.hi == 0 && a.lo == 0;
}

#endif
