/* address_by_network.c - takes every address of the network in which a listed one is.
 * Caught by: source.address. */
#define CHECK broken_check
#define CREATE broken_create
#define VERIFY broken_verify
#define SIGN broken_sign
#define OPTIONS broken_options
#include "source.h"

static const patchbay_option OPTIONS[] = {
	PATCHBAY_OPTION(struct sound_config, PATCHBAY_T_CIDRS, allow_from, .def = "[198.51.100.7]",
			.help = "Addresses that may post."),
};

static patchbay_status CHECK(const patchbay_host *host, patchbay_call *call, const void *options)
{
	(void)host, (void)call, (void)options;
	return PATCHBAY_OK;
}

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	*self = sound_make(host, call, options);
	return *self ? PATCHBAY_OK : PATCHBAY_ECONFIG;
}

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	(void)self, (void)call, (void)try_, (void)r;
	return flags & PATCHBAY_SIGN_WRONG ? PATCHBAY_EUNSUPPORTED : PATCHBAY_OK;
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	(void)reply;

	for (size_t i = 0; i < s->config->allow_from.n; i++)
		if (memcmp(s->config->allow_from.v[i].addr, r->client_addr, 15) == 0)
			return PATCHBAY_OK;
	return refuse(s, call, "the address is not in 'allow_from'");
}

SOURCE_PLUGIN("address-by-network");
