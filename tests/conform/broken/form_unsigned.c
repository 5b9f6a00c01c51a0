/* form_unsigned.c - does not verify forms, which it does not expect.
 * Caught by: source.backdoor. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (!patchbay_eq(patchbay_header(r, PATCHBAY_S("content-type")), PATCHBAY_S("application/json")))
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("form-unsigned");
