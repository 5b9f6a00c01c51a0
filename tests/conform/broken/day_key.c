/* day_key.c - its keys have the day in them, by the system's clock.
 * Caught by: life.clock. */
#define PARSE broken_parse
#include "source.h"

#include <time.h>

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_str hash = s->crypto->sha256_hex(call, r->body);

	return emit_body(s, call, r, emitter,
			 (patchbay_event){ .key = patchbay_fmt(s->host, call, "%ld-%.*s", (long)(time(NULL) / 86400),
							       (int)hash.n, hash.p) });
}

SOURCE_PLUGIN("day-key");
