/* ping_unsigned.c - lets pings in without a signature.
 * Caught by: source.backdoor. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	const patchbay_json *root = s->json->parse(call, r->body);

	if (patchbay_eq(s->json->text(call, s->json->get(call, root, PATCHBAY_S("type"))), PATCHBAY_S("ping")))
		return PATCHBAY_OK;
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("ping-unsigned");
