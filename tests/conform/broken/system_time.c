/* system_time.c - compares the time of a signature with the system's clock.
 * Caught by: life.clock, source.genuine. */
#define NOW_S broken_now_s
#include "stamp.h"

#include <time.h>

static long long NOW_S(const patchbay_request *r)
{
	(void)r;
	return (long long)time(NULL);
}

SOURCE_PLUGIN("system-time");
