/* open_password.c - a password that is no secret.
 * Caught by: table.options. */
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with."),
};

SOURCE_PLUGIN("open-password");
