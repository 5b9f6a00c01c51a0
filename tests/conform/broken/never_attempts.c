/* never_attempts.c - leaves every event for later.
 * Caught by: act.decides. */
#define ACT broken_act
#define DELIVER deliver_by_http
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	(void)self, (void)call, (void)events, (void)checkpoint;
	for (size_t i = 0; i < n; i++)
		results[i] = (patchbay_result){ PATCHBAY_UNTOUCHED, 0, { "", 0 } };
}

HTTP_SINK("never-attempts");
