/* recursion.c - follows nested brackets as deep as they go.
 * Caught by: hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static size_t depth(const char *p, const char *end)
{
	volatile char frame[64];

	frame[0] = p < end ? *p : 0;
	if (frame[0] != '[' && frame[0] != '{')
		return 0;
	return 1 + depth(p + 1, end) + (size_t)(frame[0] == 0);
}

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	if (depth(r->body.p, r->body.p + r->body.n) > 100)
		return PATCHBAY_EMALFORMED;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("recursion");
