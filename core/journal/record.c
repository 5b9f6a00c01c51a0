/* record.c - encoding and checking of journal records. XXH3 serves as checksum and as fingerprint: at
 * 64 bits with a secret salt it finds torn and stale bytes, at 128 it names keys. */
#include "journal/record.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

static struct hash128 hash_of(uint64_t domain, patchbay_str source, patchbay_str text)
{
	XXH3_state_t state;
	uint64_t lengths[2] = { domain, source.n };
	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, lengths, sizeof lengths);
	if (source.n)
		XXH3_128bits_update(&state, source.p, source.n);
	if (text.n)
		XXH3_128bits_update(&state, text.p, text.n);
	XXH128_hash_t h = XXH3_128bits_digest(&state);
	return (struct hash128){ h.high64, h.low64 | 1 }; /* never zero: that means none */
}

struct hash128 record_key(uint8_t dedupe, patchbay_str source, patchbay_str key)
{
	return hash_of(1u + dedupe, source, key);
}

struct hash128 record_data(patchbay_str source, patchbay_str data)
{
	return hash_of(0, source, data);
}

static uint16_t put(struct buf *b, patchbay_str s)
{
	size_t n = s.n > UINT16_MAX ? UINT16_MAX : s.n;
	buf_add(b, s.p, n);
	return (uint16_t)n;
}

void record_encode(struct buf *b, const struct journal_record *r)
{
	size_t start = b->n;
	struct record_head head = {
		.magic = RECORD_MAGIC,
		.kind = r->kind,
		.dedupe = r->dedupe,
		.flags = r->flags,
		.version = 1,
		.data_size = (uint32_t)r->data.n,
		.id = r->id,
		.original = r->original,
		.received_ns = r->received_ns,
		.time_ns = r->time_ns,
		.request_size = (uint32_t)r->request.n,
	};
	if ((r->kind == JOURNAL_EVENT || r->kind == JOURNAL_DUPLICATE) && r->dedupe != PATCHBAY_DEDUPE_NONE) {
		head.key = record_key(r->dedupe, r->source, r->key);
		if (r->dedupe != PATCHBAY_DEDUPE_KEY)
			head.data = record_data(r->source, r->data);
	}
	if (r->token.n)
		head.token = hash_of(UINT64_MAX, r->source, r->token);
	buf_grow(b, sizeof head + 1024 + r->data.n + r->request.n);
	buf_add(b, &head, sizeof head);
	head.source = put(b, r->source);
	head.plugin = put(b, r->plugin);
	head.type = put(b, r->type);
	head.kind_name = put(b, r->kind_name);
	head.subject = put(b, r->subject);
	head.key_text = put(b, r->key);
	head.token_text = put(b, r->token);
	head.client = put(b, r->client);
	head.note = put(b, r->note);
	buf_add(b, r->request.p, r->request.n);
	buf_add(b, r->data.p, r->data.n);
	static const char zeros[RECORD_ALIGN];
	buf_add(b, zeros, (RECORD_ALIGN - (b->n - start) % RECORD_ALIGN) % RECORD_ALIGN);
	head.size = (uint32_t)(b->n - start);
	memcpy(b->p + start, &head, sizeof head);
}

static uint64_t checksum(const struct record_head *head, uint64_t salt)
{
	const size_t skip = sizeof head->checksum;
	return XXH3_64bits_withSeed((const char *)head + skip, head->size - skip, salt);
}

void record_seal(struct record_head *head, uint64_t salt)
{
	head->checksum = checksum(head, salt);
}

static size_t texts_size(const struct record_head *h)
{
	return (size_t)h->source + h->plugin + h->type + h->kind_name + h->subject + h->key_text + h->token_text +
	       h->client + h->note + h->request_size + h->data_size;
}

bool record_valid(const void *p, size_t n, uint64_t salt)
{
	const struct record_head *head = p;
	return n >= sizeof *head && head->magic == RECORD_MAGIC && head->size >= sizeof *head && head->size <= n &&
	       head->size % RECORD_ALIGN == 0 && head->version == 1 && sizeof *head + texts_size(head) <= head->size &&
	       head->checksum == checksum(head, salt);
}

static patchbay_str take(const char **at, size_t n)
{
	patchbay_str s = { *at, n };
	*at += n;
	return s;
}

void record_decode(const struct record_head *head, struct journal_record *ret)
{
	const char *at = (const char *)(head + 1);
	*ret = (struct journal_record){
		.id = head->id,
		.original = head->original,
		.kind = head->kind,
		.dedupe = head->dedupe,
		.flags = head->flags,
		.received_ns = head->received_ns,
		.time_ns = head->time_ns,
	};
	ret->source = take(&at, head->source);
	ret->plugin = take(&at, head->plugin);
	ret->type = take(&at, head->type);
	ret->kind_name = take(&at, head->kind_name);
	ret->subject = take(&at, head->subject);
	ret->key = take(&at, head->key_text);
	ret->token = take(&at, head->token_text);
	ret->client = take(&at, head->client);
	ret->note = take(&at, head->note);
	ret->request = take(&at, head->request_size);
	ret->data = take(&at, head->data_size);
}
