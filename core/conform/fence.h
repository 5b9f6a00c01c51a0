/* fence.h - memory whose ends are watched: a byte read or written outside of a text crashes there and then. */
#ifndef CONFORM_FENCE_H
#define CONFORM_FENCE_H

#include "conform/kit.h"

enum { FENCE_AT_START = 1, FENCE_READ_ONLY = 2 };

/* Many texts, each between pages that cannot be read: it ends right before one, or begins right behind one. */
#define FENCE_REGIONS 64 /* that are made read only */

struct fence {
	char *map;
	size_t size, used;
	unsigned flags;
	struct fence_region {
		char *start;
		size_t size;
	} regions[FENCE_REGIONS];
	size_t n_regions;
};

void fence_init(struct fence *, struct kit *, size_t n_texts, size_t total, unsigned flags);
patchbay_str fence_put(struct fence *, patchbay_str);
void *fence_put_bytes(struct fence *, const void *p, size_t n); /* aligned to 16, so not tight */
void fence_close(struct fence *);                               /* after the last put: read only, if so wanted */
/* Nobody may read it any more. Its place stays taken until the end of the test, so that nothing else gets there. */
void fence_forget(struct fence *);
void fence_fini(struct fence *);

/* A request, all of it fenced. */
patchbay_request *fence_request(struct fence *, struct kit *, const patchbay_request *, unsigned flags);

#endif
