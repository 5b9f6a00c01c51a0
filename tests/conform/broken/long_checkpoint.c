/* long_checkpoint.c - its checkpoint is longer than one may be.
 * Caught by: sink.checkpoint, life.neighbours, life.calls, act.decides, act.odd, act.deadline, act.http,
 * act.disk. */
#define ACT broken_act
#define EXTENSION broken_extension
#define DELIVER deliver_by_http
#include "sink.h"

static patchbay_status resume(void *self, patchbay_call *call, patchbay_str checkpoint)
{
	(void)self, (void)call, (void)checkpoint;
	return PATCHBAY_OK;
}

static const void *EXTENSION(const char *id)
{
	static const patchbay_checkpoint able = { .size = sizeof(able), .resume = resume };

	return strcmp(id, PATCHBAY_CHECKPOINT) == 0 ? &able : NULL;
}

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	static const char text[5000] = "x";

	sound_act(self, call, events, n, results, checkpoint);
	*checkpoint = (patchbay_str){ text, sizeof(text) };
}

HTTP_SINK("long-checkpoint");
