/* keeps_call.c - remembers the call, and speaks through it in the next.
 * Caught by: request.forgotten. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	static _Thread_local patchbay_call *last;
	const struct sound *s = self;

	if (last && last != call)
		s->host->explain(last, PATCHBAY_S("another one came"));
	last = call;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("keeps-call");
