/* needs_services.c - does not ask whether the host has a service.
 * Caught by: life.bare_host.
 * It may fail as well: life.cycles. */
#define CREATE broken_create
#include "source.h"

static patchbay_status CREATE(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const patchbay_crypto_service *crypto = host->service(host, PATCHBAY_CRYPTO);

	crypto->hmac_free(NULL);
	return sound_create(host, call, options, self);
}

SOURCE_PLUGIN("needs-services");
