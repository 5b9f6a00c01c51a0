/* twin.c - another plugin of the same name. */
#include "fixture.h"

static const patchbay_source source = FIXTURE_SOURCE;

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin),
	.name = "good",
	.version = "9.9.9",
	.source = &source,
};
