/* no_license.c - has no licence.
 * Caught by: table.metadata. */
#define LICENSE NULL
#include "source.h"

SOURCE_PLUGIN("no-license");
