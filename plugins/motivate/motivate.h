/* motivate.h - what the parts of this plugin share: motivate.c (authentication), events.c (what a
 * message says), simulate.c (playing Motivate Cloud). */
#ifndef MOTIVATE_H
#define MOTIVATE_H

#include <patchbay/keys.h>
#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>
#include <patchbay/sugar.h>

struct motivate_options {
	patchbay_strs webhook_key;
	int64_t timestamp_tolerance;
};

struct motivate { /* an instance; nothing in it changes after create */
	const patchbay_host *host;
	const struct motivate_options *options;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys; /* none: signatures are not checked */
};

/* The message's timestamp: exactly ten digits, as they stand in the text; "" if it is anything else. */
patchbay_str motivate_timestamp(const struct motivate *, patchbay_call *, const patchbay_json *message, int64_t *ret_s);

patchbay_status motivate_parse(const void *self, patchbay_call *, const patchbay_request *, const patchbay_emitter *);

extern const patchbay_simulate motivate_simulate;

#endif
