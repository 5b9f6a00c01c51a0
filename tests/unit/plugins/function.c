/* function.c - exports the right name for a function. */
#include <patchbay/plugin.h>

PATCHBAY_EXPORT int entry(void) __asm__("patchbay_plugin_v1");

int entry(void)
{
	return 1;
}
