/* stack_data.c - its data is in a stack frame that is gone.
 * Caught by: parse.events.
 * It may fail as well: parse.pure, parse.threads, parse.keys, parse.refusal, hostile.truncated, hostile.mutated,
 * hostile.odd, hostile.memory, budget.calls, budget.long, budget.time, life.calls, life.clock, request.forgotten,
 * request.untouched, source.genuine. */
#define PARSE broken_parse
#include "source.h"

__attribute__((noinline)) static const char *format(patchbay_str body)
{
	char text[512];
	const char *volatile p = text;

	snprintf(text, sizeof(text), "%.*s", (int)body.n, body.p);
	return p;
}

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter,
			 (patchbay_event){ .data = { format(r->body), r->body.n < 512 ? r->body.n : 511 } });
}

SOURCE_PLUGIN("stack-data");
