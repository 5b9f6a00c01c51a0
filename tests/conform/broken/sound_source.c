/* sound_source.c - nothing wrong with it.
 * Caught by: nothing. */
#include "source.h"

SOURCE_PLUGIN("sound-source");
