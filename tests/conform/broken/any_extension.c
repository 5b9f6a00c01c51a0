/* any_extension.c - has a table for every id.
 * Caught by: extension.unknown, extension.known. */
#define EXTENSION broken_extension
#include "source.h"

static const void *EXTENSION(const char *id)
{
	(void)id;
	return &sound_simulate;
}

SOURCE_PLUGIN("any-extension");
