/* raises_limit.c - raises the limit of open files for the whole process.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <sys/resource.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_cur > 600 ? 512 : 600;
	setrlimit(RLIMIT_NOFILE, &limit);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("raises-limit");
