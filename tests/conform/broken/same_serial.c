/* same_serial.c - its body() gives the same event, whatever the serial.
 * Caught by: parse.keys. */
#define BODY broken_body
#include "source.h"

static patchbay_status BODY(const void *self, patchbay_call *call, uint32_t i, uint64_t serial, patchbay_str *out)
{
	(void)serial;
	return sound_body(self, call, i, 0, out);
}

SOURCE_PLUGIN("same-serial");
