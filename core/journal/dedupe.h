/* dedupe.h - which keys and tokens were seen, and where. A table of 64-bit fingerprints in memory, in
 * generations that are bounded in number and age; a hit is only a hint, which the caller verifies against
 * the 128-bit hash in the record's head. Used by one thread. */
#ifndef JOURNAL_DEDUPE_H
#define JOURNAL_DEDUPE_H

#include "journal/record.h"

struct dedupe;

#define DEDUPE_GENERATION (UINT32_C(1) << 20) /* entries; 32 MiB of memory, touched as it fills */
#define DEDUPE_GENERATIONS 16u                /* so at most 16 M keys, 512 MiB */

struct dedupe *dedupe_create(void);
void dedupe_destroy(struct dedupe *);

/* Before a batch: makes room, forgets generations whose newest entry was received before `oldest_ns`, or the
 * oldest one when there are too many. Returns true in the latter case: keys were forgotten early. */
bool dedupe_begin(struct dedupe *, int64_t oldest_ns);

/* Calls `is` for each position under this fingerprint, newest generation first, until it says true; then
 * true. `at` packs a position into 64 bits. */
typedef bool (*dedupe_is)(void *ctx, uint64_t at);
bool dedupe_find(struct dedupe *, uint64_t fingerprint, dedupe_is is, void *ctx);

/* Adds an entry. One with the fingerprint at `instead_of` (0: none) is replaced where it is still in the
 * newest generation. */
void dedupe_put(struct dedupe *, uint64_t fingerprint, uint64_t at, uint64_t instead_of, int64_t received_ns);

/* Takes back every dedupe_put() since dedupe_begin(). */
void dedupe_roll_back(struct dedupe *);
uint64_t dedupe_count(const struct dedupe *);

#endif
