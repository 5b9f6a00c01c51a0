/* trimmed_body.c - leaves out the space around a body before it hashes it.
 * Caught by: signature.body. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_request copy = *r;

	while (copy.body.n > 0 && strchr(" \r\n\t", copy.body.p[copy.body.n - 1]))
		copy.body.n--;
	return sound_verify(self, call, &copy, reply);
}

SOURCE_PLUGIN("trimmed-body");
