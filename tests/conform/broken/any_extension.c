/* any_extension.c - has a table for every id.
 * Caught by: ? */
#define EXTENSION broken_extension
#include "source.h"

static const void *EXTENSION(const char *id)
{
	(void)id;
	return &sound_simulate;
}

SOURCE_PLUGIN("any-extension");
