/* leaks_refused.c - what it decodes of a wrong signature stays behind.
 * Caught by: life.calls. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_str hex = patchbay_header(r, HEADER);
	char *copy = hex.n ? strndup(hex.p, hex.n) : NULL;

	if (sound_verify(self, call, r, reply) != PATCHBAY_OK)
		return PATCHBAY_EDENIED;
	free(copy);
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("leaks-refused");
