/* overlapping_options.c - two of its options are in one place.
 * Caught by: file.loads. */
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with."),
	{ .size = sizeof(patchbay_option),
	  .type = PATCHBAY_T_INT,
	  .name = "mode",
	  .offset = offsetof(struct sound_config, secret) + 8,
	  .help = "A mode." },
};

SOURCE_PLUGIN("overlapping-options");
