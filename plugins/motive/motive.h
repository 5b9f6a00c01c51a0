/* motive.h - what the parts of this plugin share: motive.c (authentication), events.c (what a request
 * says), simulate.c (playing Motive). */
#ifndef MOTIVE_H
#define MOTIVE_H

#include <patchbay/keys.h>
#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>
#include <patchbay/sugar.h>

#define MOTIVE_SIGNATURE "x-kt-webhook-signature"

struct motive_options {
	patchbay_strs secret;
	bool accept_unsigned_ping;
};

struct motive { /* an instance; nothing in it changes after create */
	const patchbay_host *host;
	const struct motive_options *options;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys;
};

/* Is this the body of Motive's test request: [word], as its manual prints it, or a JSON array of strings? */
bool motive_is_ping(const struct motive *, patchbay_call *, patchbay_str body);

patchbay_status motive_parse(const void *self, patchbay_call *, const patchbay_request *, const patchbay_emitter *);

extern const patchbay_simulate motive_simulate;

#endif
