/* version.c - which patchbay this is. */
#include "cli/cli.h"

const char *cli_version(void)
{
	return PATCHBAY_VERSION;
}
