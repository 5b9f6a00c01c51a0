/* first_decides.c - what holds for the first event holds for all.
 * Caught by: act.deadline, act.http. */
#define ACT broken_act
#define DELIVER deliver_by_http
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	sound_act(self, call, events, 1, results, checkpoint);
	for (size_t i = 1; i < n; i++)
		results[i] = i == 2 ? result(PATCHBAY_OK, "") : results[0];
}

HTTP_SINK("first-decides");
