/* body_64k.c - signs the first 64 KB of a body.
 * Caught by: signature.body. */
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static patchbay_str front(patchbay_str body)
{
	return (patchbay_str){ body.p, body.n < 65536 ? body.n : 65536 };
}

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	patchbay_request copy = *r;
	patchbay_status status;

	copy.body = front(r->body);
	status = sound_sign(self, call, flags, try_, &copy);
	copy.body = r->body;
	*r = copy;
	return status;
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_request copy = *r;

	copy.body = front(r->body);
	return sound_verify(self, call, &copy, reply);
}

SOURCE_PLUGIN("body-64k");
