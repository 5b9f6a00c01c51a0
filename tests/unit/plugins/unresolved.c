/* unresolved.c - was not linked with what it calls. */
#include "fixture.h"

int missing_function_of_a_library(void);

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	return missing_function_of_a_library() ? PATCHBAY_ECONFIG : fixture_create(host, call, options, self);
}

static const patchbay_source source = {
	.size = sizeof(patchbay_source),
	.options = fixture_table,
	.create = create,
	.destroy = fixture_destroy,
	.verify = fixture_verify,
	.parse = fixture_parse,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin),
	.name = "unresolved",
	.version = "1",
	.source = &source,
};
