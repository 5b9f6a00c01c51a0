/* batch.c - see batch.h. */
#include "deliver/batch.h"

#include "base/mem.h"
#include "deliver/delivery.h"

#include <stdlib.h>

void batch_reset(struct batch *batch)
{
	arena_reset(&batch->arena);
	batch->n = batch->bytes = 0;
	batch->full = false;
}

void batch_add(struct batch *batch, const struct batch_item *item, const patchbay_delivery *delivery)
{
	if (batch->n == batch->room) {
		batch->room = batch->room ? batch->room * 2 : 16;
		batch->items = xrealloc(batch->items, batch->room * sizeof(*batch->items));
		batch->deliveries = xrealloc(batch->deliveries, batch->room * sizeof(*batch->deliveries));
		batch->results = xrealloc(batch->results, batch->room * sizeof(*batch->results));
	}
	patchbay_delivery *copy = delivery_copy(&batch->arena, delivery);
	copy->attempt = item->attempts + 1;
	batch->items[batch->n] = *item;
	batch->deliveries[batch->n++] = copy;
	batch->bytes += delivery_bytes(delivery);
}

void batch_fini(struct batch *batch)
{
	arena_fini(&batch->arena);
	free(batch->items);
	free(batch->deliveries);
	free(batch->results);
}
