/* sets_locale.c - sets the locale of the whole process.
 * Caught by: process.state. */
#define CREATE broken_create
#include "source.h"

#include <locale.h>

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	setlocale(LC_ALL, "C.UTF-8");
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("sets-locale");
