/* dedupe.c - open addressing, linear probing, at most half full; no deletion but of whole generations.
 * Memory comes from mmap so that a generation costs what it holds. */
#include "journal/dedupe.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS (DEDUPE_GENERATION * 2)

struct slot {
	uint64_t fingerprint;
	uint64_t at; /* 0: free */
};

struct generation {
	struct slot *slots;
	uint32_t n;
	int64_t newest_ns;
};

struct undo {
	struct slot *slot;
	struct slot was;
};

struct dedupe {
	struct generation g[DEDUPE_GENERATIONS]; /* oldest first */
	uint32_t n;
	struct undo *undo;
	size_t n_undo, room;
};

static void add_generation(struct dedupe *d)
{
	void *p = mmap(NULL, SLOTS * sizeof(struct slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		abort(); /* as xmalloc: out of memory ends the process */
	d->g[d->n++] = (struct generation){ .slots = p };
}

static void drop_oldest(struct dedupe *d)
{
	munmap(d->g[0].slots, SLOTS * sizeof(struct slot));
	memmove(d->g, d->g + 1, --d->n * sizeof d->g[0]);
}

struct dedupe *dedupe_create(void)
{
	struct dedupe *d = xcalloc(1, sizeof *d);
	add_generation(d);
	return d;
}

void dedupe_destroy(struct dedupe *d)
{
	if (!d)
		return;
	while (d->n)
		drop_oldest(d);
	free(d->undo);
	free(d);
}

bool dedupe_begin(struct dedupe *d, int64_t oldest_ns)
{
	bool early = false;
	d->n_undo = 0;
	while (d->n > 1 && d->g[0].newest_ns < oldest_ns)
		drop_oldest(d);
	/* The margin is for one batch, which never changes generations in its middle. */
	if (d->g[d->n - 1].n >= DEDUPE_GENERATION - DEDUPE_GENERATION / 16) {
		if (d->n == DEDUPE_GENERATIONS) {
			early = d->g[0].newest_ns >= oldest_ns;
			drop_oldest(d);
		}
		add_generation(d);
	}
	return early;
}

static struct slot *slot_of(const struct generation *g, uint64_t fingerprint, struct slot *after)
{
	size_t i = after ? (size_t)(after - g->slots) + 1 : (size_t)fingerprint;
	for (;; i++) {
		struct slot *s = &g->slots[i & (SLOTS - 1)];
		if (s->at == 0 || s->fingerprint == fingerprint)
			return s;
	}
}

bool dedupe_find(struct dedupe *d, uint64_t fingerprint, dedupe_is is, void *ctx)
{
	for (uint32_t i = d->n; i-- > 0;)
		for (struct slot *s = slot_of(&d->g[i], fingerprint, NULL); s->at;
		     s = slot_of(&d->g[i], fingerprint, s))
			if (is(ctx, s->at))
				return true;
	return false;
}

void dedupe_put(struct dedupe *d, uint64_t fingerprint, uint64_t at, uint64_t instead_of, int64_t received_ns)
{
	struct generation *g = &d->g[d->n - 1];
	struct slot *s = slot_of(g, fingerprint, NULL);
	while (s->at && (instead_of == 0 || s->at != instead_of))
		s = slot_of(g, fingerprint, s);
	if (d->n_undo == d->room) {
		d->room = d->room ? d->room * 2 : 256;
		d->undo = xrealloc(d->undo, d->room * sizeof *d->undo);
	}
	d->undo[d->n_undo++] = (struct undo){ s, *s };
	g->n += s->at == 0;
	*s = (struct slot){ fingerprint, at };
	if (received_ns > g->newest_ns)
		g->newest_ns = received_ns;
}

void dedupe_roll_back(struct dedupe *d)
{
	while (d->n_undo) {
		struct undo *u = &d->undo[--d->n_undo];
		d->g[d->n - 1].n -= u->was.at == 0;
		*u->slot = u->was;
	}
}

uint64_t dedupe_count(const struct dedupe *d)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < d->n; i++)
		n += d->g[i].n;
	return n;
}
