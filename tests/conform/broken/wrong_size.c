/* wrong_size.c - its options are not as long as they say.
 * Caught by: file.loads. */
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with."),
	{ .size = 8,
	  .type = PATCHBAY_T_INT,
	  .name = "mode",
	  .offset = offsetof(struct sound_config, mode),
	  .help = "A mode." },
};

SOURCE_PLUGIN("wrong-size");
