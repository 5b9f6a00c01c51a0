/* signs_anyway.c - its sign() knows no wrong signature.
 * Caught by: source.wrong_signature. */
#define SIGN broken_sign
#include "source.h"

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	return sound_sign(self, call, flags & ~(uint32_t)PATCHBAY_SIGN_WRONG, try_, r);
}

SOURCE_PLUGIN("signs-anyway");
