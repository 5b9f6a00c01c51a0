/* results_overrun.c - decides about one event more than there are.
 * Caught by: act.decides. */
#define ACT broken_act
#define DELIVER deliver_by_http
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	sound_act(self, call, events, n, results, checkpoint);
	results[n] = result(PATCHBAY_OK, "");
}

HTTP_SINK("results-overrun");
