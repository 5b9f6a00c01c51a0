/* own_header.c - a header that only its author knows opens it.
 * Caught by: source.backdoor. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (patchbay_header(r, PATCHBAY_S("x-zanzibar-internal")).p)
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("own-header");
