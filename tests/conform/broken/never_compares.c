/* never_compares.c - a signature of the right shape is enough.
 * Caught by: source.wrong_signature, source.other_secret, signature.bytes, signature.body. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER);
	(void)reply;

	if (hex.n != 64 || !patchbay_is_hex(hex))
		return refuse(s, call, "X-Signature is missing, or no HMAC-SHA256");
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("never-compares");
