/* fence.c - see fence.h. */
#include "conform/fence.h"

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

void fence_init(struct fence *fence, struct kit *kit, size_t n_texts, size_t total, unsigned flags)
{
	*fence = (struct fence){ .flags = flags };
	fence->size = (2 * n_texts + 1) * page_size() + pages_for(total);
	fence->map = mmap(NULL, fence->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fence->map == MAP_FAILED)
		kit_fail(kit, "no memory for a test (%zu bytes)", fence->size);
	fence->used = page_size();
}

static char *room(struct fence *fence, size_t n)
{
	char *start = fence->map + fence->used;
	size_t pages = pages_for(n);

	if (n == 0)
		return fence->map; /* nothing may be read there */
	fence->used += pages + page_size();
	if (fence->used > fence->size || mprotect(start, pages, PROT_READ | PROT_WRITE) != 0)
		return NULL;
	if (fence->n_regions < FENCE_REGIONS)
		fence->regions[fence->n_regions++] = (struct fence_region){ start, pages };
	return fence->flags & FENCE_AT_START ? start : start + pages - n;
}

patchbay_str fence_put(struct fence *fence, patchbay_str s)
{
	char *p = room(fence, s.n);

	if (p && s.n)
		memcpy(p, s.p, s.n);
	return (patchbay_str){ p, p ? s.n : 0 };
}

void *fence_put_bytes(struct fence *fence, const void *bytes, size_t n)
{
	char *p = room(fence, (n + 15) & ~(size_t)15);

	if (p)
		memcpy(p, bytes, n);
	return p;
}

void fence_close(struct fence *fence)
{
	if (!(fence->flags & FENCE_READ_ONLY))
		return;
	for (size_t i = 0; i < fence->n_regions; i++)
		mprotect(fence->regions[i].start, fence->regions[i].size, PROT_READ);
}

void fence_forget(struct fence *fence)
{
	mprotect(fence->map, fence->size, PROT_NONE);
}

void fence_fini(struct fence *fence)
{
	munmap(fence->map, fence->size);
}

patchbay_request *fence_request(struct fence *fence, struct kit *kit, const patchbay_request *r, unsigned flags)
{
	size_t total = r->body.n + r->query.n + 2 * page_size(), texts = 8 + 2 * r->n_headers;
	patchbay_request copy = *r;

	for (uint32_t i = 0; i < r->n_headers; i++)
		total += pages_for(r->headers[i].key.n) + pages_for(r->headers[i].value.n);
	total += pages_for(r->n_headers * sizeof(patchbay_kv)) + pages_for(r->body.n) + 8 * page_size();
	fence_init(fence, kit, texts, total, flags);
	patchbay_kv *headers = kit_alloc(kit, (r->n_headers + 1) * sizeof(*headers));
	for (uint32_t i = 0; i < r->n_headers; i++)
		headers[i] =
			(patchbay_kv){ fence_put(fence, r->headers[i].key), fence_put(fence, r->headers[i].value) };
	copy.headers = fence_put_bytes(fence, headers, r->n_headers * sizeof(*headers));
	copy.method = fence_put(fence, r->method);
	copy.path = fence_put(fence, r->path);
	copy.query = fence_put(fence, r->query);
	copy.body = fence_put(fence, r->body);
	copy.client = fence_put(fence, r->client);
	patchbay_request *placed = fence_put_bytes(fence, &copy, sizeof(copy));
	fence_close(fence);
	return placed;
}
