/* call_memory.c - keeps what is the call's for the life of the instance.
 * Caught by: source.genuine. */
#define CREATE broken_create
#define VERIFY broken_verify
#define SIGN broken_sign
#include "source.h"

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	patchbay_status status = sound_create(host, call, options, self);
	struct sound *s = *self;
	patchbay_str first;

	if (status != PATCHBAY_OK)
		return status;
	first = patchbay_fmt(host, call, "%.*s", (int)s->config->secret.v[0].n, s->config->secret.v[0].p);
	s->word = first;
	return PATCHBAY_OK;
}

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;

	return sound_sign(self, call, flags, try_, r) == PATCHBAY_OK &&
			       patchbay_set_header(s->host, call, r, PATCHBAY_S("x-word"), s->config->secret.v[0]) ==
				       PATCHBAY_OK
		       ? PATCHBAY_OK
		       : PATCHBAY_ENOMEM;
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;

	if (!s->crypto->equal(patchbay_header(r, PATCHBAY_S("x-word")), s->word))
		return refuse(s, call, "X-Word is missing or wrong");
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("call-memory");
