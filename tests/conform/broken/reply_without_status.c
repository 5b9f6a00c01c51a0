/* reply_without_status.c - answers by itself, and does not say with what.
 * Caught by: source.forged. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	return r->body.n == 2 && !patchbay_header(r, HEADER).p ? PATCHBAY_REPLY : sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("reply-without-status");
