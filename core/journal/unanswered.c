/* unanswered.c - a ring with linear search: it holds a handful of events unless something is badly wrong. */
#include "journal/unanswered.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define UNANSWERED_MAX 4096u

struct entry {
	struct id id;
	int64_t received_ns; /* 0: free */
	bool failed;
};

struct unanswered {
	struct entry v[UNANSWERED_MAX];
	size_t n; /* entries in use, all below n */
};

struct unanswered *unanswered_create(void)
{
	return xcalloc(1, sizeof(struct unanswered));
}

void unanswered_destroy(struct unanswered *u)
{
	free(u);
}

static struct entry *find(const struct unanswered *u, const struct id *id)
{
	for (size_t i = u->n; i-- > 0;)
		if (memcmp(&u->v[i].id, id, sizeof *id) == 0) {
			union {
				const struct entry *in;
				struct entry *out;
			} entry = { &u->v[i] };
			return entry.out;
		}
	return NULL;
}

void unanswered_put(struct unanswered *u, const struct id *id, int64_t received_ns, bool failed)
{
	struct entry *e = find(u, id);
	if (!e) {
		if (u->n == UNANSWERED_MAX)
			memmove(u->v, u->v + 1, --u->n * sizeof u->v[0]);
		e = &u->v[u->n++];
	}
	*e = (struct entry){ *id, received_ns, failed };
}

void unanswered_remove(struct unanswered *u, const struct id *id)
{
	struct entry *e = find(u, id);
	if (e)
		memmove(e, e + 1, (size_t)(&u->v[u->n--] - e - 1) * sizeof *e);
}

bool unanswered_is_retry(const struct unanswered *u, const struct id *id, int64_t now_ns, uint32_t late_ms,
			 uint32_t horizon_s)
{
	const struct entry *e = find(u, id);
	if (!e || now_ns - e->received_ns > horizon_s * NS_PER_S)
		return false;
	return e->failed || now_ns - e->received_ns >= late_ms * NS_PER_MS;
}
