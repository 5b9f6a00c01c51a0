/* motivate.h - what the parts of this plugin's source side share: motivate.c (authentication), events.c (what a message
 * says), simulate.c (playing Motivate Cloud), poll.c and enrich.c (asking its API). */
#ifndef MOTIVATE_H
#define MOTIVATE_H

#include "api.h"

#include <patchbay/keys.h>
#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/simulate.h>
#include <patchbay/sugar.h>

struct enrich_options;

struct motivate_options {
	patchbay_strs webhook_key;
	int64_t timestamp_tolerance;
	struct api_options api; /* for the two below */
	patchbay_list poll;     /* of struct poll_options */
	const struct enrich_options *enrich;
};

struct motivate { /* an instance; verify and parse find nothing in it that changes after create */
	const patchbay_host *host;
	const struct motivate_options *options;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys; /* none: signatures are not checked */
	struct api *api;    /* NULL: there is nothing to ask the API for */
	size_t turn;        /* of the polls, the one that is asked first in the next step */
	uint32_t warned;    /* of the polls, a bit for each that goes wrong, and was complained about */
};

/* The message's timestamp: exactly ten digits, as they stand in the text; "" if it is anything else. */
patchbay_str motivate_timestamp(const struct motivate *, patchbay_call *, const patchbay_json *message, int64_t *ret_s);

patchbay_status motivate_parse(const void *self, patchbay_call *, const patchbay_request *, const patchbay_emitter *);

extern const patchbay_simulate motivate_simulate;

#endif
