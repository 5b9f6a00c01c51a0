/* wild_data.c - its data leads nowhere.
 * Caught by: life.calls, source.genuine, parse.events, parse.pure, parse.keys, parse.refusal, parse.threads,
 * hostile.truncated, hostile.mutated, hostile.odd, hostile.memory, request.untouched, request.forgotten, budget.time,
 * budget.long, budget.calls.
 * It may fail as well: life.clock. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .data = { (const char *)64, r->body.n } });
}

SOURCE_PLUGIN("wild-data");
