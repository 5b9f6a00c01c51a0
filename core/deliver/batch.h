/* batch.h - the events that a sink is asked to act on in one call. */
#ifndef DELIVER_BATCH_H
#define DELIVER_BATCH_H

#include "base/arena.h"
#include "base/id.h"
#include "journal/journal.h"

struct batch_item {
	struct journal_pos at;
	struct id id;
	bool parked;
	uint32_t attempts; /* made before this one */
	uint64_t subject;  /* `order: subject`: its hash, else 0 */
	int64_t first_ms;  /* parked: when the first attempt was made */
	int64_t received_ms;
};

struct batch {
	struct arena arena;
	bool fresh;                   /* from the cursor; else parked ones that are due */
	bool full;                    /* it takes no more, however few they are */
	struct journal_pos start;     /* fresh: everything before it is in other hands */
	struct batch_item *items;     /* the events, in three parallel arrays */
	const patchbay_delivery **deliveries;
	patchbay_result *results;
	size_t n, room, bytes;
};

void batch_reset(struct batch *);
void batch_add(struct batch *, const struct batch_item *, const patchbay_delivery *);
void batch_fini(struct batch *);

#endif
