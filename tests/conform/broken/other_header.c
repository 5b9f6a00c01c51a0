/* other_header.c - looks at the beginning of a header's name only.
 * Caught by: signature.length. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = { NULL, 0 };
	(void)reply;

	for (uint32_t i = 0; i < r->n_headers; i++) {
		if (r->headers[i].key.n < 11 || memcmp(r->headers[i].key.p, "x-signature", 11) != 0)
			continue;
		if (hex.p)
			return refuse(s, call, "X-Signature comes several times");
		hex = r->headers[i].value;
	}
	if (!hex.p || !patchbay_keys_match(&s->keys, &r->body, 1, hex))
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("other-header");
