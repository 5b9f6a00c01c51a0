/* check_writes.c - check() leaves a file behind.
 * Caught by: life.check. */
#define CHECK broken_check
#include "source.h"

#include <unistd.h>

static patchbay_status CHECK(const patchbay_host *host, patchbay_call *call, const void *options)
{
	char path[] = "/tmp/patchbay-broken-XXXXXX";
	int fd = mkstemp(path);

	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return sound_check(host, call, options);
}

SOURCE_PLUGIN("check-writes");
