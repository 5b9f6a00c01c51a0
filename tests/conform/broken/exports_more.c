/* exports_more.c - exports a function of its own.
 * Caught by: file.exports. */
#include "source.h"

PATCHBAY_EXPORT int helper(void);

int helper(void)
{
	return 1;
}

SOURCE_PLUGIN("exports-more");
