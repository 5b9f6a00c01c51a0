/* standard-webhooks.h - what the parts of this plugin share: standard-webhooks.c (options, and what a request says),
 * verify.c (whether it is genuine), simulate.c (playing the provider). */
#ifndef STANDARD_WEBHOOKS_H
#define STANDARD_WEBHOOKS_H

#include <patchbay/keys.h>
#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>
#include <patchbay/sugar.h>

#define KEY_BYTES 32 /* of an ed25519 key */

#define ID PATCHBAY_S("webhook-id")
#define TIMESTAMP PATCHBAY_S("webhook-timestamp")
#define SIGNATURE PATCHBAY_S("webhook-signature")

struct webhooks_options {
	patchbay_strs secret, public_key;
	int64_t tolerance;
	patchbay_str subject;
};

struct webhooks { /* an instance; nothing in it changes after create */
	const patchbay_host *host;
	const struct webhooks_options *options;
	const patchbay_json_service *json;
	const patchbay_time_service *time;
	const patchbay_crypto_service *crypto;
	const patchbay_ed25519_service *ed25519;
	patchbay_keys keys;                             /* of `secret` */
	char public_keys[PATCHBAY_KEYS_MAX][KEY_BYTES]; /* of `public_key`, as many as there */
};

/* What is signed: id.timestamp.body */
#define SIGNED_PARTS 5
#define SIGNED(id, timestamp, body)                                                                                    \
	{                                                                                                              \
		id, PATCHBAY_S("."), timestamp, PATCHBAY_S("."), body                                                  \
	}

patchbay_status webhooks_verify(const void *self, patchbay_call *, const patchbay_request *, patchbay_reply *);

extern const patchbay_simulate webhooks_simulate;

#endif
