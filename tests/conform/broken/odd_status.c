/* odd_status.c - verify() has a status of its own for what is not signed.
 * Caught by: life.calls, source.forged, source.backdoor, signature.length, signature.once, hostile.headers,
 * request.reply, budget.calls. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	return patchbay_header(r, HEADER).p ? sound_verify(self, call, r, reply) : 7;
}

SOURCE_PLUGIN("odd-status");
