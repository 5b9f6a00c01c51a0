/* fixture.h - the parts of a plugin that does nothing, for those that are wrong in one respect. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <patchbay/sugar.h>

#include <stdlib.h>

struct fixture_options {
	patchbay_str word;
	int64_t mode;
};

static const char *const fixture_modes[] = { "slow", "fast", NULL };

static const patchbay_option fixture_table[] = {
	PATCHBAY_OPTION(struct fixture_options, PATCHBAY_T_STR, word, .flags = PATCHBAY_F_REQUIRED, .help = "A word."),
	PATCHBAY_OPTION(struct fixture_options, PATCHBAY_T_ENUM, mode, .one_of = fixture_modes, .def = "fast",
			.help = "How."),
};

static patchbay_status fixture_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const patchbay_host **hosts = malloc(sizeof(*hosts));
	(void)call;
	(void)options;
	if (!hosts)
		return PATCHBAY_ENOMEM;
	*hosts = host;
	*self = hosts;
	return PATCHBAY_OK;
}

static void fixture_destroy(void *self)
{
	free(self);
}

static patchbay_status fixture_verify(const void *self, patchbay_call *call, const patchbay_request *r,
				      patchbay_reply *reply)
{
	const patchbay_host *const *hosts = self;
	(void)r;
	(void)reply;
	(*hosts)->explain(call, PATCHBAY_S("nobody is genuine here"));
	return PATCHBAY_EDENIED;
}

static patchbay_status fixture_parse(const void *self, patchbay_call *call, const patchbay_request *r,
				     const patchbay_emitter *emitter)
{
	(void)self;
	(void)call;
	(void)r;
	(void)emitter;
	return PATCHBAY_OK;
}

#define FIXTURE_SOURCE                                                                                                 \
	{                                                                                                              \
		.size = sizeof(patchbay_source), .n_options = 2, .options = fixture_table,                             \
		.options_size = sizeof(struct fixture_options), .create = fixture_create, .destroy = fixture_destroy,  \
		.verify = fixture_verify, .parse = fixture_parse                                                       \
	}

#endif
