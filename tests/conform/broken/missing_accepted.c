/* missing_accepted.c - checks the signature only where there is one.
 * Caught by: source.forged, signature.length, signature.once. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	return patchbay_header(r, HEADER).p ? sound_verify(self, call, r, reply) : PATCHBAY_OK;
}

SOURCE_PLUGIN("missing-accepted");
