/* default_unlisted.c - the default of an ENUM is none of its words.
 * Caught by: options.defaults. */
#define OPTIONS broken_options
#include "source.h"

static const char *const modes[] = { "strict", "lenient", NULL };
static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with.", .max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_ENUM, mode, .one_of = modes, .def = "normal",
			.help = "How strict to be."),
};

SOURCE_PLUGIN("default-unlisted");
