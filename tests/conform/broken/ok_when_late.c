/* ok_when_late.c - says OK when no time was left to do it.
 * Caught by: act.deadline. */
#define ACT broken_act
#define DELIVER deliver_by_http
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	struct sound *s = self;

	if (s->host->left_ms(call) > 0) {
		sound_act(self, call, events, n, results, checkpoint);
		return;
	}
	for (size_t i = 0; i < n; i++)
		results[i] = result(PATCHBAY_OK, "");
}

HTTP_SINK("ok-when-late");
