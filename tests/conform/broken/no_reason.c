/* no_reason.c - refuses without a word.
 * Caught by: source.forged. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_status status = sound_verify(self, call, r, reply);

	if (status == PATCHBAY_EDENIED)
		((const struct sound *)self)->host->explain(call, PATCHBAY_S(""));
	return status;
}

SOURCE_PLUGIN("no-reason");
