/* leaks_check.c - check() leaves a little memory behind.
 * Caught by: life.cycles. */
#define CHECK broken_check
#include "source.h"

static patchbay_status CHECK(const patchbay_host *host, patchbay_call *call, const void *options)
{
	char *volatile copy = malloc(64);

	(void)copy;
	return sound_check(host, call, options);
}

SOURCE_PLUGIN("leaks-check");
