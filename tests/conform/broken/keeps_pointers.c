/* keeps_pointers.c - remembers where the last body was.
 * Caught by: request.forgotten.
 * It may fail as well: hostile.truncated, hostile.mutated, hostile.odd, hostile.headers, request.untouched, life.calls.
 */
#define PARSE broken_parse
#include "source.h"

static __thread patchbay_str last;

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	if (last.n && last.p[last.n - 1] == '<')
		return PATCHBAY_EMALFORMED;
	last = r->body;
	return sound_parse(self, call, r, emitter);
}

SOURCE_PLUGIN("keeps-pointers");
