/* refuses_own_checkpoint.c - does not know its own checkpoint again.
 * Caught by: sink.checkpoint. */
#define ACT broken_act
#define EXTENSION broken_extension
#define DELIVER deliver_to_file
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	sound_act(self, call, events, n, results, checkpoint);
	*checkpoint = PATCHBAY_S("offset 1234");
}

static patchbay_status resume(void *self, patchbay_call *call, patchbay_str checkpoint)
{
	struct sound *s = self;

	if (checkpoint.n == 0)
		return PATCHBAY_OK;
	s->host->explain(call, PATCHBAY_S("that is no checkpoint"));
	return PATCHBAY_EBADSINK;
}

static const void *EXTENSION(const char *id)
{
	static const patchbay_checkpoint ability = { .size = sizeof(ability), .resume = resume };

	return strcmp(id, PATCHBAY_CHECKPOINT) == 0 ? &ability : NULL;
}

FILE_SINK("refuses-own-checkpoint");
