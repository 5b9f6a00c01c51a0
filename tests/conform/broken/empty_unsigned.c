/* empty_unsigned.c - takes an empty body for a harmless one.
 * Caught by: source.backdoor, signature.body. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (r->body.n == 0)
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("empty-unsigned");
