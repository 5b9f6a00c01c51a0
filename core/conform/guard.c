/* guard.c - see guard.h. */
#include "conform/guard.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t pages_for(size_t n)
{
	return (n + page_size() - 1) & ~(page_size() - 1);
}

void guard_init(struct guard *guard, struct kit *kit, size_t n_texts, size_t total, unsigned flags)
{
	*guard = (struct guard){ .flags = flags };
	guard->size = (2 * n_texts + 1) * page_size() + pages_for(total);
	guard->map = mmap(NULL, guard->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guard->map == MAP_FAILED)
		kit_fail(kit, "no memory for a test (%zu bytes)", guard->size);
	guard->used = page_size();
}

static char *room(struct guard *guard, size_t n)
{
	char *start = guard->map + guard->used;
	size_t pages = pages_for(n);

	if (n == 0)
		return guard->map; /* nothing may be read there */
	guard->used += pages + page_size();
	if (guard->used > guard->size || mprotect(start, pages, PROT_READ | PROT_WRITE) != 0)
		return NULL;
	if (guard->n_regions < GUARD_REGIONS)
		guard->regions[guard->n_regions++] = (struct guard_region){ start, pages };
	return guard->flags & GUARD_AT_START ? start : start + pages - n;
}

patchbay_str guard_put(struct guard *guard, patchbay_str s)
{
	char *p = room(guard, s.n);

	if (p && s.n)
		memcpy(p, s.p, s.n);
	return (patchbay_str){ p, p ? s.n : 0 };
}

void *guard_put_bytes(struct guard *guard, const void *bytes, size_t n)
{
	char *p = room(guard, (n + 15) & ~(size_t)15);

	if (p)
		memcpy(p, bytes, n);
	return p;
}

void guard_close(struct guard *guard)
{
	if (!(guard->flags & GUARD_READ_ONLY))
		return;
	for (size_t i = 0; i < guard->n_regions; i++)
		mprotect(guard->regions[i].start, guard->regions[i].size, PROT_READ);
}

void guard_forget(struct guard *guard)
{
	mprotect(guard->map, guard->size, PROT_NONE);
}

void guard_fini(struct guard *guard)
{
	munmap(guard->map, guard->size);
}

patchbay_request *guard_request(struct guard *guard, struct kit *kit, const patchbay_request *r, unsigned flags)
{
	size_t total = r->body.n + r->query.n + 2 * page_size(), texts = 8 + 2 * r->n_headers;
	patchbay_request copy = *r;

	for (uint32_t i = 0; i < r->n_headers; i++)
		total += pages_for(r->headers[i].key.n) + pages_for(r->headers[i].value.n);
	total += pages_for(r->n_headers * sizeof(patchbay_kv)) + pages_for(r->body.n) + 8 * page_size();
	guard_init(guard, kit, texts, total, flags);
	patchbay_kv *headers = kit_alloc(kit, (r->n_headers + 1) * sizeof(*headers));
	for (uint32_t i = 0; i < r->n_headers; i++)
		headers[i] =
			(patchbay_kv){ guard_put(guard, r->headers[i].key), guard_put(guard, r->headers[i].value) };
	copy.headers = guard_put_bytes(guard, headers, r->n_headers * sizeof(*headers));
	copy.method = guard_put(guard, r->method);
	copy.path = guard_put(guard, r->path);
	copy.query = guard_put(guard, r->query);
	copy.body = guard_put(guard, r->body);
	copy.client = guard_put(guard, r->client);
	patchbay_request *placed = guard_put_bytes(guard, &copy, sizeof(copy));
	guard_close(guard);
	return placed;
}
