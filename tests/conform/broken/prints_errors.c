/* prints_errors.c - says on stderr why it refuses.
 * Caught by: process.output.
 * It may fail as well: budget.calls. */
#define VERIFY broken_verify
#include "source.h"

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	patchbay_status status = sound_verify(self, call, r, reply);

	if (status == PATCHBAY_EDENIED)
		fprintf(stderr, "refused\n");
	return status;
}

SOURCE_PLUGIN("prints-errors");
