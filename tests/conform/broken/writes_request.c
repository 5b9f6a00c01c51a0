/* writes_request.c - brings the signature into lower case, where it stands.
 * Caught by: source.backdoor, request.untouched. */
#define VERIFY broken_verify
#include "source.h"

#include <ctype.h>

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_str hex = patchbay_header(r, HEADER);
	char *p = (char *)(uintptr_t)hex.p;

	for (size_t i = 0; i < hex.n; i++)
		p[i] = (char)tolower((unsigned char)p[i]);
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("writes-request");
