/* page.h - what an answer of the API holds: its items, and where the next page is. */
#ifndef MOTIVATE_PAGE_H
#define MOTIVATE_PAGE_H

#include "api.h"

struct page {
	patchbay_str *items; /* each is JSON, as it stands in the answer; rows of a CSV as objects */
	size_t n;
	bool single;       /* the answer is one thing, not a list */
	patchbay_str next; /* target of the next page; "" = this was the last one */
	const char *odd;   /* why the next page cannot be had, though the answer says that there is one; or NULL */
};

/* The target with what asks for this many items a page: the manual spells that in two ways. 0: as it is. */
patchbay_str page_first(const patchbay_host *, patchbay_call *, patchbay_str target, int64_t page_size);

/* NULL: done. Else what is wrong with the answer. `target` is what was asked for. */
const char *page_read(const struct api *, const patchbay_host *, patchbay_call *, const struct api_answer *,
		      patchbay_str target, struct page *ret);

#endif
