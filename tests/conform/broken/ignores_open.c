/* ignores_open.c - does not look at what open() returns.
 * Caught by: act.disk. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)call;

	if (fd >= 0 && write(fd, event->id.p, event->id.n) != (ssize_t)event->id.n) {
		close(fd);
		return result(PATCHBAY_EBADSINK, "the disk is full");
	}
	if (fd >= 0)
		close(fd);
	return result(PATCHBAY_OK, "");
}

FILE_SINK("ignores-open");
