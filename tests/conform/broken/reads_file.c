/* reads_file.c - reads a file for every request.
 * Caught by: budget.calls. */
#define VERIFY broken_verify
#include "source.h"

#include <fcntl.h>
#include <unistd.h>

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("reads-file");
