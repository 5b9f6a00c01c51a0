/* empty_key.c - an empty secret is a key as any other.
 * Caught by: source.no_secret. */
#define CHECK broken_check
#define CREATE broken_create
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
	s->keys = (patchbay_keys){ .host = host, .crypto = s->crypto, .option = "secret" };
	for (size_t i = 0; i < s->config->secret.n && i < PATCHBAY_KEYS_MAX; i++)
		s->keys.v[s->keys.n++] = s->crypto->hmac_new(PATCHBAY_SHA256, s->config->secret.v[i]);
	*self = s;
	return PATCHBAY_OK;
}

SOURCE_PLUGIN("empty-key");
