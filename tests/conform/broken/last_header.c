/* last_header.c - of several signatures only the last counts.
 * Caught by: signature.once. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = { NULL, 0 };
	(void)reply;

	for (uint32_t i = 0; i < r->n_headers; i++)
		if (patchbay_eq(r->headers[i].key, HEADER))
			hex = r->headers[i].value;
	if (!hex.p || !patchbay_keys_match(&s->keys, &r->body, 1, hex))
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("last-header");
