/* two_of_a_name.c - two of its options have one name.
 * Caught by: file.loads. */
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
			.help = "What the provider signs with.", .max = PATCHBAY_KEYS_MAX),
	{ .size = sizeof(patchbay_option),
	  .type = PATCHBAY_T_INT,
	  .name = "secret",
	  .offset = offsetof(struct sound_config, mode),
	  .help = "How to compare it." },
};

SOURCE_PLUGIN("two-of-a-name");
