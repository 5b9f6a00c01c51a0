/* sound_handshake.c - nothing wrong with it: answers a challenge by itself, with the status that a reply comes with.
 * Caught by: nothing. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_str challenge = s->json->text(call, s->json->get(call, root, PATCHBAY_S("challenge")));

	if (challenge.n == 0)
		return sound_verify(self, call, r, reply);
	reply->content_type = PATCHBAY_S("text/plain");
	reply->body = challenge;
	return PATCHBAY_REPLY;
}

SOURCE_PLUGIN("sound-handshake");
