/* undefined.c - was not linked with what it calls.
 * Caught by: file.loads. */
#define CREATE broken_create
#include "source.h"

int function_of_a_library(void);

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	return function_of_a_library() ? PATCHBAY_ECONFIG : sound_create(host, call, options, self);
}

SOURCE_PLUGIN("undefined");
