/* stamp_uncovered.c - the time in the signature may be any other within five minutes.
 * Caught by: signature.bytes. */
#define STAMPED broken_stamped
#include "stamp.h"

static patchbay_str STAMPED(const struct sound *s, patchbay_call *call, patchbay_str time, patchbay_str body)
{
	(void)time;
	return s->crypto->hmac_hex(call, s->keys.v[0], &body, 1);
}

SOURCE_PLUGIN("stamp-uncovered");
