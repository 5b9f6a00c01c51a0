/* compose.h - what a mail about one event, or about many, is to say, and to whom. Nothing is made of it yet. */
#ifndef SMTP_COMPOSE_H
#define SMTP_COMPOSE_H

#include "options.h"

#include <patchbay/services.h>

struct composer {
	const patchbay_host *host;
	const patchbay_expr_service *expr;
	const patchbay_json_service *json;
	const patchbay_time_service *time;
	const patchbay_crypto_service *crypto;
	const struct options *options;
};

struct composition { /* in memory of the call, or of the options */
	const patchbay_str *to;
	const bool *owed; /* of each: has it not got these events yet? */
	size_t n_to;
	patchbay_str subject, text;
	patchbay_str html; /* "": none */
};

/* The events that the next mail is about: the first alone, or, where `digest` says so, all that wait with it for the
 * same recipients by the same route, and are owed to the same of them. members[i]: is events[i] one of them? OK; or,
 * about events[0] alone, EBADEVENT, ECONFIG or RETRY, explained. */
patchbay_status compose(const struct composer *, patchbay_call *, const patchbay_delivery *const *events, size_t n,
			bool *members, struct composition *ret);

/* Names, for delivered.h, this event sent to this recipient by this sink. */
patchbay_str compose_name(const struct composer *, patchbay_call *, patchbay_str event, patchbay_str recipient);

#endif
