/* keeps_emitter.c - remembers where events went at first.
 * Caught by: request.forgotten, parse.pure.
 * It may fail as well: parse.threads, hostile.mutated, hostile.odd. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	static _Thread_local patchbay_emitter first;

	if (!first.emit)
		first = *emitter;
	return sound_parse(self, call, r, &first);
}

SOURCE_PLUGIN("keeps-emitter");
