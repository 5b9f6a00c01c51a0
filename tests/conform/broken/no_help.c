/* no_help.c - an option does not say what it is for.
 * Caught by: table.options. */
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with."),
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_INT, mode, .def = "1"),
};

SOURCE_PLUGIN("no-help");
