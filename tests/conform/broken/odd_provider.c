/* odd_provider.c - its provider tries for longer than it says.
 * Caught by: table.provider. */
#define PROVIDER broken_provider
#include "source.h"

static const patchbay_provider PROVIDER = {
	.size = sizeof(patchbay_provider), .retry_s = sound_retry, .n_retry = 2, .retry_horizon_s = 60
};

SOURCE_PLUGIN("odd-provider");
