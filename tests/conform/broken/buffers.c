/* buffers.c - says OK for what is still in a buffer.
 * Caught by: act.disk. */
#define DELIVER broken_deliver
#include "sink.h"

#include <stdio.h>

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	FILE *f = fopen(s->path, "ae");
	(void)call;

	if (!f)
		return result(PATCHBAY_EBADSINK, "the file cannot be opened");
	bool written = fwrite(event->id.p, 1, event->id.n, f) == event->id.n;
	fclose(f);
	return written ? result(PATCHBAY_OK, "") : result(PATCHBAY_EBADSINK, "the disk is full");
}

FILE_SINK("buffers");
