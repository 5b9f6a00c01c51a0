/* quadratic.c - takes a body apart in a time that grows with its square.
 * Caught by: budget.long, hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	size_t depth = 0;

	for (size_t i = 0; i < r->body.n; i++)
		for (size_t k = i; k-- > 0 && r->body.p[k] != '\n';) /* where does this line begin? */
			depth += r->body.p[k] == '{';
	if (depth == SIZE_MAX)
		return PATCHBAY_EMALFORMED;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("quadratic");
