/* needy.c - needs a host of a later minor version. */
#include "fixture.h"

static const patchbay_source source = FIXTURE_SOURCE;

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin),
	.abi_minor = 7,
	.abi_minor_need = 7,
	.name = "needy",
	.version = "1",
	.source = &source,
};
