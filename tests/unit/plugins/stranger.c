/* stranger.c - a shared object, but no plugin. */
#include <patchbay/plugin.h>

PATCHBAY_EXPORT int answer(void);

int answer(void)
{
	return 42;
}
