/* empty_accepted.c - an empty signature is as good as a right one.
 * Caught by: source.forged, signature.length. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_str hex = patchbay_header(r, HEADER);

	if (hex.p && hex.n == 0)
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("empty-accepted");
