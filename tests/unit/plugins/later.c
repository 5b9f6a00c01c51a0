/* later.c - a plugin of a later minor version: every struct has grown, and it works with hosts of 1.0. */
#include "fixture.h"

struct later_option {
	patchbay_option now;
	const char *unit;
	uint64_t more[3];
};
#define LATER(o, unit_)                                                                                                \
	{                                                                                                              \
		.now = o, .unit = (unit_)                                                                              \
	}
#define SIZED(kind_, field_)                                                                                           \
	{                                                                                                              \
		.size = sizeof(struct later_option), .type = (kind_), .name = #field_,                                 \
		.offset = offsetof(struct fixture_options, field_), .one_of = fixture_modes                            \
	}

static const struct later_option options[] = {
	LATER(SIZED(PATCHBAY_T_STR, word), "letters"),
	LATER(SIZED(PATCHBAY_T_ENUM, mode), ""),
};

static const struct {
	patchbay_provider now;
	uint64_t more[2];
} provider = { .now = {
		       .size = sizeof(patchbay_provider) + 16, .answer_ms = 3000, .docs_url = "https://example.org" } };

static const struct {
	patchbay_source now;
	uint64_t more[4];
} source = {
	.now = { .size = sizeof(patchbay_source) + 32,
		 .n_options = 2,
		 .options = &options[0].now,
		 .options_size = sizeof(struct fixture_options),
		 .provider = &provider.now,
		 .create = fixture_create,
		 .destroy = fixture_destroy,
		 .verify = fixture_verify,
		 .parse = fixture_parse },
};

struct later_plugin {
	patchbay_plugin now;
	uint64_t more[4];
};

/* The header of that version would declare the longer type itself. */
PATCHBAY_EXPORT extern const struct later_plugin exported __asm__("patchbay_plugin_v1");

const struct later_plugin exported = {
	.now = { .size = sizeof(struct later_plugin),
		 .abi_minor = 7,
		 .name = "later",
		 .version = "2",
		 .source = &source.now },
	.more = { 1, 2, 3, 4 },
};
