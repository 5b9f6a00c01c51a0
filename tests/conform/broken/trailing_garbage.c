/* trailing_garbage.c - does not mind what comes behind the signature.
 * Caught by: signature.length. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER);
	(void)reply;

	hex.n = hex.n > 64 ? 64 : hex.n;
	if (!hex.p || !patchbay_keys_match(&s->keys, &r->body, 1, hex))
		return refuse(s, call, "X-Signature is missing or wrong");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("trailing-garbage");
