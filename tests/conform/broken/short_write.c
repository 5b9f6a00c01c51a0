/* short_write.c - does not mind that only a part was written.
 * Caught by: act.disk. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_str line = patchbay_fmt(s->host, call, "%.*s %.*s\n", (int)event->id.n, event->id.p,
					 (int)event->type.n, event->type.p);
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, line.p, line.n) > 0 && fsync(fd) == 0;

	if (fd >= 0 && close(fd) != 0)
		written = false;
	return written && line.n ? result(PATCHBAY_OK, "") : result(PATCHBAY_EBADSINK, "the file cannot be written");
}

FILE_SINK("short-write");
