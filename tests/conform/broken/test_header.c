/* test_header.c - whoever says that it is a test is let in.
 * Caught by: source.backdoor. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (patchbay_eq(patchbay_header(r, PATCHBAY_S("x-test")), PATCHBAY_S("1")))
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("test-header");
