/* trusts_checkpoint.c - believes whatever it is given as its checkpoint.
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
	static volatile char table[8192];
	char text[4200];
	(void)self, (void)call;

	if (checkpoint.n == 0)
		return PATCHBAY_OK;
	snprintf(text, sizeof(text), "%.*s", (int)checkpoint.n, checkpoint.p);
	return table[strtol(text + 7, NULL, 10) * 0 + (strncmp(text, "offset 1234", 11) ? 1L << 40 : 0)]
		       ? PATCHBAY_ELIMIT
		       : PATCHBAY_OK;
}

static const void *EXTENSION(const char *id)
{
	static const patchbay_checkpoint ability = { .size = sizeof(ability), .resume = resume };

	return strcmp(id, PATCHBAY_CHECKPOINT) == 0 ? &ability : NULL;
}

FILE_SINK("trusts-checkpoint");
