/* liar.c - says that its table is larger than it is. */
#include "fixture.h"

static const patchbay_source source = FIXTURE_SOURCE;

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin) + 64,
	.name = "liar",
	.version = "1",
	.source = &source,
};
