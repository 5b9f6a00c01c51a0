/* first_only_file.c - writes the first event, and says that it wrote all.
 * Caught by: act.disk. */
#define ACT broken_act
#define DELIVER deliver_to_file
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	sound_act(self, call, events, 1, results, checkpoint);
	for (size_t i = 1; i < n; i++)
		results[i] = results[0];
}

FILE_SINK("first-only-file");
