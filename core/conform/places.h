/* places.h - where in a request its signature is: what sign() adds, found by comparing before and after. */
#ifndef CONFORM_PLACES_H
#define CONFORM_PLACES_H

#include "conform/bench.h"

enum place_kind { PLACE_HEADER, PLACE_QUERY, PLACE_FIELD };

struct place {
	enum place_kind kind;
	uint32_t header; /* its index */
	size_t at, n;    /* of the query or body: the value, without quotes */
	char name[80];   /* "header x-signature", "field 'token' of the body" */
};

#define PLACES_MAX 32
struct places {
	struct place v[PLACES_MAX];
	size_t n;
	bool body_changed;
};

void places_find(struct bench *, const patchbay_request *plain, const patchbay_request *signed_r, struct places *);
patchbay_str place_value(const patchbay_request *, const struct place *);
/* The request with another value in that place. */
patchbay_request place_put(struct kit *, const patchbay_request *, const struct place *, patchbay_str value);
/* The same, of a copy of its value that may be changed afterwards, byte by byte: *ret_value. */
patchbay_request place_open(struct kit *, const patchbay_request *, const struct place *, char **ret_value);
/* Is anything that stands there needed for the request to be genuine? */
bool place_counts(struct bench *, const patchbay_request *, const struct place *);
/* Do both mean the same: hexadecimal digits in the other case, or base64 with other bits where there are none? */
bool place_means_same(patchbay_str value, size_t at, char now);

#endif
