/* idle_first.c - its idle() relies on an act() before.
 * Caught by: sink.idle. */
#define ACT broken_act
#define EXTENSION broken_extension
#define DELIVER deliver_to_file
#include "sink.h"

static char *buffer;

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	if (!buffer)
		buffer = calloc(1, 16);
	sound_act(self, call, events, n, results, checkpoint);
}

static patchbay_status rest(void *self, patchbay_call *call, patchbay_str *checkpoint)
{
	(void)self, (void)call, (void)checkpoint;
	*(volatile char *)buffer = 1;
	return PATCHBAY_OK;
}

static const void *EXTENSION(const char *id)
{
	static const patchbay_idle ability = { .size = sizeof(ability), .every_ms = 1000, .idle = rest };

	return strcmp(id, PATCHBAY_IDLE) == 0 ? &ability : NULL;
}

FILE_SINK("idle-first");
