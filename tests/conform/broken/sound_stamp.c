/* sound_stamp.c - nothing wrong with it: signs the time, too.
 * Caught by: nothing. */
#include "stamp.h"

SOURCE_PLUGIN("sound-stamp");
