/* open_without_secret.c - without a secret everybody is genuine, and nobody is warned.
 * Caught by: source.no_secret. */
#define CHECK broken_check
#define CREATE broken_create
#define VERIFY broken_verify
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_SECRET,
			.help = "What the provider signs with."),
};

static patchbay_status CHECK(const patchbay_host *host, patchbay_call *call, const void *options)
{
	(void)host, (void)call, (void)options;
	return PATCHBAY_OK;
}

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct sound *s = sound_make(host, call, options);

	if (!s)
		return PATCHBAY_ECONFIG;
	*self = s;
	return patchbay_keys_init(&s->keys, host, call, s->crypto, PATCHBAY_SHA256, "secret", s->config->secret);
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	return s->keys.n == 0 ? PATCHBAY_OK : sound_verify(self, call, r, reply);
}

SOURCE_PLUGIN("open-without-secret");
