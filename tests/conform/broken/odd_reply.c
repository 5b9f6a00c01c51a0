/* odd_reply.c - answers by itself, with a status that HTTP does not have.
 * Caught by: source.forged. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	if (r->body.n != 2 || patchbay_header(r, HEADER).p)
		return sound_verify(self, call, r, reply);
	reply->http_status = 999;
	return PATCHBAY_REPLY;
}

SOURCE_PLUGIN("odd-reply");
