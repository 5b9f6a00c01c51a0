/* needs_set.c - nothing wrong with it, but an option that nobody can guess.
 * Caught by: options.instance. */
#define CHECK broken_check
#define OPTIONS broken_options
#define OPTIONS_SIZE sizeof(struct set_config)
#include "source.h"

struct set_config {
	struct sound_config sound;
	patchbay_str region;
};

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct set_config, PATCHBAY_T_STR, region, .flags = PATCHBAY_F_REQUIRED,
			.help = "Where it is."),
	{ .size = sizeof(patchbay_option),
	  .type = PATCHBAY_T_STRS,
	  .flags = PATCHBAY_F_SECRET | PATCHBAY_F_REQUIRED,
	  .name = "secret",
	  .offset = offsetof(struct set_config, sound.secret),
	  .help = "What the provider signs with." },
};

static patchbay_status CHECK(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct set_config *config = options;

	if (!patchbay_eq(config->region, PATCHBAY_S("north-7"))) {
		host->explain(call, PATCHBAY_S("'region' is none of the regions that there are; write north-7"));
		return PATCHBAY_ECONFIG;
	}
	return sound_check(host, call, options);
}

SOURCE_PLUGIN("needs-set");
