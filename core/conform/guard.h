/* guard.h - memory whose ends are watched: a byte read or written outside of a text crashes there and then. */
#ifndef CONFORM_GUARD_H
#define CONFORM_GUARD_H

#include "conform/kit.h"

enum { GUARD_AT_START = 1, GUARD_READ_ONLY = 2 };

/* Many texts, each between pages that cannot be read: it ends right before one, or begins right behind one. */
#define GUARD_REGIONS 64 /* that are made read only */

struct guard {
	char *map;
	size_t size, used;
	unsigned flags;
	struct guard_region {
		char *start;
		size_t size;
	} regions[GUARD_REGIONS];
	size_t n_regions;
};

void guard_init(struct guard *, struct kit *, size_t n_texts, size_t total, unsigned flags);
patchbay_str guard_put(struct guard *, patchbay_str);
void *guard_put_bytes(struct guard *, const void *p, size_t n); /* aligned to 16, so not tight */
void guard_close(struct guard *);                               /* after the last put: read only, if so wanted */
/* Nobody may read it any more. Its place stays taken until the end of the test, so that nothing else gets there. */
void guard_forget(struct guard *);
void guard_fini(struct guard *);

/* A request, all of it guarded. */
patchbay_request *guard_request(struct guard *, struct kit *, const patchbay_request *, unsigned flags);

#endif
