/* seconds_for_ns.c - gives the time in seconds before 1970.
 * Caught by: parse.events. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	return emit_body(self, call, r, emitter, (patchbay_event){ .time_ns = -1767268800 });
}

SOURCE_PLUGIN("seconds-for-ns");
