/* large_unsigned.c - does not hash what is large.
 * Caught by: source.backdoor, signature.body. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (r->body.n > 256 * 1024)
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("large-unsigned");
