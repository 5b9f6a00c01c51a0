/* slow_load.c - does its work while it is loaded.
 * Caught by: nothing.
 * Without sanitizers also: file.loads. */
#include "source.h"

#include <time.h>

__attribute__((constructor)) static void prepare(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
}

SOURCE_PLUGIN("slow-load");
