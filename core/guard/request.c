/* request.c - the request that a plugin was verifying or parsing when it crashed. Nobody has accepted it, and its
 * sender may give up: so it is written down by the dying process, into a file in memory that the next one reads. */
#include "guard/internal.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define REQUEST_BYTES_MAX ((size_t)128 << 20)
#define HEADERS_MAX 128u

struct head {
	uint64_t complete; /* written last */
	int64_t received_ns;
	uint8_t client_addr[16];
	uint32_t n_headers;
	/* by the supervisor: */
	uint32_t call, count, is_kept;
	char source[GUARD_NAME_SIZE], plugin[GUARD_NAME_SIZE], what[GUARD_WHAT_SIZE];
};

static int fd = -1;

void guard_request_open(void)
{
	fd = memfd_create("patchbay:request", MFD_CLOEXEC); /* without it, the request is only lost, as by any crash */
}

/* ---- Writing: async-signal-safe. What cannot be read makes write() fail, where memcpy() would crash once more. */

static bool put(const void *p, size_t n, off_t *at)
{
	while (n) {
		ssize_t written = pwrite(fd, p, n, *at);
		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		p = (const char *)p + written;
		n -= (size_t)written;
		*at += written;
	}
	return true;
}

static bool put_str(patchbay_str s, off_t *at)
{
	uint64_t n = s.n;
	return n < REQUEST_BYTES_MAX && put(&n, sizeof n, at) && put(s.p, s.n, at);
}

bool guard_request_write(const patchbay_request *request)
{
	struct head head = { 0 };
	off_t at = sizeof head, start = 0;
	if (fd == -1 || request->n_headers > HEADERS_MAX)
		return false;
	const patchbay_str strs[] = { request->method, request->path, request->query, request->client, request->body };
	for (size_t i = 0; i < sizeof strs / sizeof *strs; i++)
		if (!put_str(strs[i], &at))
			return false;
	for (uint32_t i = 0; i < request->n_headers; i++)
		if (!put_str(request->headers[i].key, &at) || !put_str(request->headers[i].value, &at))
			return false;
	head.complete = (uint64_t)at;
	head.received_ns = request->received_ns;
	head.n_headers = request->n_headers;
	memcpy(head.client_addr, request->client_addr, sizeof head.client_addr);
	return put(&head, sizeof head, &start);
}

/* ---- Reading */

void guard_request_clear(void)
{
	if (fd != -1 && ftruncate(fd, 0) != 0)
		close(fd), fd = -1;
}

static bool read_head(struct head *head)
{
	return fd != -1 && pread(fd, head, sizeof *head, 0) == (ssize_t)sizeof *head && head->complete > sizeof *head &&
	       head->complete < REQUEST_BYTES_MAX * 2;
}

static patchbay_str take_str(char **at, const char *end)
{
	uint64_t n;
	if ((size_t)(end - *at) < sizeof n)
		return (patchbay_str){ "", 0 };
	memcpy(&n, *at, sizeof n);
	*at += sizeof n;
	if (n > (uint64_t)(end - *at))
		n = 0;
	patchbay_str s = { *at, (size_t)n };
	*at += n;
	return s;
}

/* In one block, to be freed. NULL: none. */
static void *read_request(struct head *head, patchbay_request *ret)
{
	if (!read_head(head) || head->n_headers > HEADERS_MAX)
		return NULL;
	size_t n = (size_t)head->complete - sizeof *head, at = 0;
	size_t kvs = HEADERS_MAX * sizeof(patchbay_kv);
	char *memory = xcalloc(1, kvs + n);
	patchbay_kv *headers = (patchbay_kv *)(void *)memory;
	char *text = memory + kvs;
	while (at < n) {
		ssize_t got = pread(fd, text + at, n - at, (off_t)(sizeof *head + at));
		if (got <= 0) {
			free(memory);
			return NULL;
		}
		at += (size_t)got;
	}
	const char *end = text + n;
	*ret = (patchbay_request){ .size = sizeof *ret,
				   .received_ns = head->received_ns,
				   .n_headers = head->n_headers };
	memcpy(ret->client_addr, head->client_addr, sizeof ret->client_addr);
	ret->method = take_str(&text, end);
	ret->path = take_str(&text, end);
	ret->query = take_str(&text, end);
	ret->client = take_str(&text, end);
	ret->body = take_str(&text, end);
	for (uint32_t i = 0; i < head->n_headers; i++) {
		headers[i].key = take_str(&text, end);
		headers[i].value = take_str(&text, end);
	}
	ret->headers = headers;
	return memory;
}

/* What is parsed is authentic, and its body is to blame: what surrounds it (a date, a signature made anew) may differ
 * when it is sent again. What is verified may come from anybody, who must not bring a bad name to a good body. */
void guard_fingerprint(const patchbay_request *request, enum guard_call call, uint64_t ret[2])
{
	uint64_t seed = call;
	for (uint32_t i = 0; call == GUARD_VERIFY && i < request->n_headers; i++) {
		const patchbay_kv *header = &request->headers[i];
		seed = XXH3_64bits_withSeed(header->key.n ? header->key.p : "", header->key.n, seed);
		seed = XXH3_64bits_withSeed(header->value.n ? header->value.p : "", header->value.n, seed);
	}
	XXH128_hash_t hash = XXH3_128bits_withSeed(request->body.n ? request->body.p : "", request->body.n, seed);
	ret[0] = hash.low64;
	ret[1] = hash.high64 | 1; /* zero is none */
}

bool guard_request_peek(enum guard_call call, uint64_t ret[2])
{
	struct head head;
	patchbay_request request;
	void *memory = read_request(&head, &request);
	if (memory)
		guard_fingerprint(&request, call, ret);
	free(memory);
	return memory != NULL;
}

void guard_request_label(const struct guard_slot *slot, const char *what, uint32_t count)
{
	struct head head;
	off_t start = 0;
	if (!read_head(&head))
		return;
	head.call = atomic_load(&slot->call);
	head.count = count;
	head.is_kept = slot->is_kept;
	guard_copy_text(head.source, sizeof head.source, slot->instance);
	guard_copy_text(head.plugin, sizeof head.plugin, slot->plugin);
	guard_copy_text(head.what, sizeof head.what, what);
	put(&head, sizeof head, &start);
}

bool guard_take_request(struct guard_request *ret)
{
	struct head head;
	*ret = (struct guard_request){ .memory = NULL };
	if (!guard_board)
		return false;
	ret->memory = read_request(&head, &ret->request);
	guard_request_clear();
	if (!ret->memory)
		return false;
	ret->call = (enum guard_call)head.call;
	ret->count = head.count;
	ret->is_kept = head.is_kept;
	guard_copy_text(ret->source, sizeof ret->source, head.source);
	guard_copy_text(ret->plugin, sizeof ret->plugin, head.plugin);
	guard_copy_text(ret->what, sizeof ret->what, head.what);
	return true;
}

void guard_request_free(struct guard_request *request)
{
	free(request->memory);
	request->memory = NULL;
}
