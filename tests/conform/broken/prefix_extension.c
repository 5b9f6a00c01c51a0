/* prefix_extension.c - looks at the beginning of an id only.
 * Caught by: extension.unknown. */
#define EXTENSION broken_extension
#include "source.h"

static const void *EXTENSION(const char *id)
{
	return strncmp(id, PATCHBAY_SIMULATE, 17) == 0 ? &sound_simulate : NULL;
}

SOURCE_PLUGIN("prefix-extension");
