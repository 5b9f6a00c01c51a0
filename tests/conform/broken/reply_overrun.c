/* reply_overrun.c - writes more of a reply than there is.
 * Caught by: request.reply.
 * It may fail as well: budget.time, parse.threads. */
#define VERIFY broken_verify
#include "source.h"

struct longer {
	patchbay_reply now;
	char cookie[16];
};

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	memset(((struct longer *)(void *)reply)->cookie, 0, 16);
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("reply-overrun");
