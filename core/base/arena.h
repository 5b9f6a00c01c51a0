/* arena.h - memory that is freed all at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <patchbay/plugin.h>

#include <stddef.h>

struct arena {
	struct arena_block *blocks;
	size_t used;  /* bytes handed out since the last reset */
	size_t limit; /* 0 = none */
};

/* Zeroed, 16-byte aligned; NULL only when over the limit. */
void *arena_alloc(struct arena *, size_t n);
patchbay_str arena_copy(struct arena *, patchbay_str); /* NUL-terminated behind its end; {NULL,0} over the limit */
void arena_reset(struct arena *); /* frees everything but one block, which it keeps for reuse */
void arena_fini(struct arena *);

#endif
