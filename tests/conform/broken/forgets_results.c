/* forgets_results.c - decides about the first event only.
 * Caught by: act.decides. */
#define ACT broken_act
#define DELIVER deliver_by_http
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	sound_act(self, call, events, n ? 1 : 0, results, checkpoint);
}

HTTP_SINK("forgets-results");
