/* short_ability.c - an ability of it is shorter than its first version.
 * Caught by: extension.known. */
#define EXTENSION broken_extension
#include "source.h"

static const void *EXTENSION(const char *id)
{
	static const patchbay_simulate shorter = { .size = 8, .n_samples = 3, .samples = sound_samples };

	return strcmp(id, PATCHBAY_SIMULATE) == 0 ? &shorter : NULL;
}

SOURCE_PLUGIN("short-ability");
