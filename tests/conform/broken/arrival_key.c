/* arrival_key.c - its keys are when the host's clock says that they came.
 * Caught by: parse.pure.
 * It may fail as well: parse.threads. */
#define PARSE broken_parse
#include "source.h"

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const patchbay_host *host = ((const struct sound *)self)->host;
	char text[40];

	snprintf(text, sizeof(text), "%lld", (long long)host->now_ns(host));
	return emit_body(self, call, r, emitter, (patchbay_event){ .key = patchbay_cstr(text) });
}

SOURCE_PLUGIN("arrival-key");
