/* patchbay/checkpoint.h - optional ability of a sink: to do each event exactly once, whenever the process ends. What
 * it says of its own place (a file and an offset, say) becomes durable in one step with what it did. */
#ifndef PATCHBAY_CHECKPOINT_H
#define PATCHBAY_CHECKPOINT_H

#include <patchbay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_CHECKPOINT "patchbay.checkpoint/1"

/* With this ability, *checkpoint of act and idle counts: it comes empty, empty = unchanged, at most 4096 bytes, and is
 * made durable in the same transaction as the results, before the next call. When every result is PATCHBAY_AGAIN,
 * nothing was done yet, but the checkpoint must be durable first: the same events come again at once.
 * There is never more than one instance that was resumed: a call that does not return is waited for. */
typedef struct patchbay_checkpoint {
	uint32_t size;
	uint32_t reserved;
	/* [delivery] Once, before the first act. checkpoint: the last one that this sink handed back and the host made
	 * durable; empty for a new sink. Whatever the sink did after that checkpoint, it will be asked to do again.
	 * Here, not in create(), it takes what only one may have. Not OK (ELIMIT, EBADSINK), explained: called again
	 * later. */
	patchbay_status (*resume)(void *self, patchbay_call *, patchbay_str checkpoint);
} patchbay_checkpoint;

#ifdef __cplusplus
}
#endif
#endif
