/* lms.h - what the parts of this plugin share: lms.c (authentication), events.c (what a request says),
 * simulate.c (playing the platform). */
#ifndef LMS_H
#define LMS_H

#include <patchbay/keys.h>
#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>
#include <patchbay/sugar.h>

#define LMS_SIGNATURE "x-ti-signature"

struct lms_options {
	patchbay_cidrs allow_from;
	patchbay_strs signing_secret;
	bool require_signature;
};

struct lms { /* an instance; nothing in it changes after create */
	const patchbay_host *host;
	const struct lms_options *options;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys; /* none: no signature is looked at */
};

patchbay_status lms_parse(const void *self, patchbay_call *, const patchbay_request *, const patchbay_emitter *);

extern const patchbay_simulate lms_simulate;

#endif
