/* order_key.c - its keys depend on the request before.
 * Caught by: parse.pure.
 * It may fail as well: parse.threads. */
#define PARSE broken_parse
#include "source.h"

static size_t before;

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	size_t last = __atomic_exchange_n(&before, r->body.n, __ATOMIC_RELAXED);
	patchbay_str hash = s->crypto->sha256_hex(call, r->body);

	return emit_body(s, call, r, emitter,
			 (patchbay_event){ .key = patchbay_fmt(s->host, call, "%zu-%.*s", last, (int)hash.n, hash.p) });
}

SOURCE_PLUGIN("order-key");
