/* cut_key.c - its keys are the first eight bytes of an id.
 * Caught by: parse.keys. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_str id = s->json->text(call, s->json->find(call, root, "id|0.id", false));

	id.n = id.n < 8 ? id.n : 8;
	return emit_body(self, call, r, emitter, (patchbay_event){ .key = id });
}

SOURCE_PLUGIN("cut-key");
