/* loads_loudly.c - greets when it is loaded.
 * Caught by: process.output. */
#include "source.h"

__attribute__((constructor)) static void greet(void)
{
	puts("hello");
}

SOURCE_PLUGIN("loads-loudly");
