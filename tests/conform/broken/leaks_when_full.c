/* leaks_when_full.c - forgets its descriptor when a file cannot be written.
 * Caught by: act.disk. */
#define DELIVER broken_deliver
#include "sink.h"

static patchbay_result DELIVER(struct sound *s, patchbay_call *call, const patchbay_delivery *event)
{
	patchbay_str line = patchbay_fmt(s->host, call, "%.*s\n", (int)event->id.n, event->id.p);
	int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return result(PATCHBAY_EBADSINK, "the file cannot be opened");
	if (line.n == 0 || write(fd, line.p, line.n) != (ssize_t)line.n || fsync(fd) != 0)
		return result(PATCHBAY_DOWN, "the file cannot be written");
	return close(fd) == 0 ? result(PATCHBAY_OK, "") : result(PATCHBAY_DOWN, "the file cannot be closed");
}

FILE_SINK("leaks-when-full");
