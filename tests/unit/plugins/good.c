/* good.c - nothing wrong with it. */
#include "fixture.h"

static const patchbay_source source = FIXTURE_SOURCE;

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin),
	.name = "good",
	.version = "1.2.3",
	.license = "MIT",
	.summary = "a plugin for tests",
	.source = &source,
};
