/* ahead.c - see ahead.h. */
#include "deliver/ahead.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The index of the first that is not before `at`. */
static size_t lower_bound(const struct ahead *ahead, struct journal_pos at)
{
	size_t low = 0, high = ahead->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (journal_pos_cmp(ahead->v[middle], at) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void ahead_add(struct ahead *ahead, struct journal_pos at)
{
	size_t i = lower_bound(ahead, at);
	if (i < ahead->n && journal_pos_cmp(ahead->v[i], at) == 0)
		return;
	if (ahead->n == ahead->room) {
		ahead->room = ahead->room ? ahead->room * 2 : 64;
		ahead->v = xrealloc(ahead->v, ahead->room * sizeof(*ahead->v));
	}
	memmove(ahead->v + i + 1, ahead->v + i, (ahead->n - i) * sizeof(*ahead->v));
	ahead->v[i] = at;
	ahead->n++;
}

bool ahead_has(const struct ahead *ahead, struct journal_pos at)
{
	size_t i = lower_bound(ahead, at);
	return i < ahead->n && journal_pos_cmp(ahead->v[i], at) == 0;
}

void ahead_drop_before(struct ahead *ahead, struct journal_pos cursor)
{
	size_t i = lower_bound(ahead, cursor);
	if (!i)
		return;
	memmove(ahead->v, ahead->v + i, (ahead->n - i) * sizeof(*ahead->v));
	ahead->n -= i;
}

void ahead_free(struct ahead *ahead)
{
	free(ahead->v);
	*ahead = (struct ahead){ 0 };
}
