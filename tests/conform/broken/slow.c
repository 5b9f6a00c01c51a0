/* slow.c - computes for too long.
 * Caught by: nothing.
 * It may fail as well: parse.threads.
 * Without sanitizers also: budget.time. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	char text[4096] = "";

	for (int i = 0; i < 1200; i++)
		(void)s->crypto->hmac_is(
			s->keys.v[0], &(patchbay_str){ text, sizeof(text) }, 1,
			PATCHBAY_S("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("slow");
