/* ignores_write.c - does not look at what write() returns.
 * Caught by: act.disk. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)call;

	if (fd < 0)
		return result(PATCHBAY_EBADSINK, "the file cannot be opened");
	(void)!write(fd, event->id.p, event->id.n);
	close(fd);
	return result(PATCHBAY_OK, "");
}

FILE_SINK("ignores-write");
