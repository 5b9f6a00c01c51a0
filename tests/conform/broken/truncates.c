/* truncates.c - begins its file anew in each call.
 * Caught by: act.disk. */
#define ACT broken_act
#define DELIVER deliver_to_file
#include "sink.h"

static void ACT(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	struct sound *s = self;
	int fd = open(s->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	(void)checkpoint;

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < n; i++)
		results[i] = deliver_to_file(s, call, events[i]);
}

FILE_SINK("truncates");
