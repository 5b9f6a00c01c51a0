/* bad_default.c - the default of a number is none.
 * Caught by: options.defaults. */
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with."),
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_INT, mode, .def = "fast", .help = "A mode."),
};

SOURCE_PLUGIN("bad-default");
