/* day_key.c - its keys have the day in them, by the system's clock.
 * Caught by: life.clock. */
#define PARSE broken_parse
#include "source.h"

#include <time.h>

static patchbay_status emit(const struct sound *s, patchbay_call *call, const patchbay_request *r,
			    const patchbay_emitter *emitter, patchbay_event event)
{
	const patchbay_json *root = s->json->parse(call, r->body);

	if (s->json->type(root) != PATCHBAY_JSON_OBJECT && s->json->type(root) != PATCHBAY_JSON_ARRAY)
		return PATCHBAY_EMALFORMED;
	event.size = sizeof(event);
	if (!event.type.p)
		event.type = PATCHBAY_S("thing");
	if (!event.data.p)
		event.data = r->body;
	return emitter->emit(emitter->ctx, &event);
}

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_str hash = s->crypto->sha256_hex(call, r->body);

	return emit(s, call, r, emitter,
		    (patchbay_event){ .key = patchbay_fmt(s->host, call, "%ld-%.*s", (long)(time(NULL) / 86400),
							  (int)hash.n, hash.p) });
}

SOURCE_PLUGIN("day-key");
