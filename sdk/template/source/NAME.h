/* @NAME@.h - what the files of this plugin share. */
#include <patchbay/keys.h>
#include <patchbay/simulate.h>

#include <stdlib.h>

#define SIGNATURE "x-@NAME@-signature" /* the names of headers come in lower case */

struct options {
	patchbay_strs secret; /* several while it is being changed */
};

struct source {
	const patchbay_host *host;
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_time_service *time;
	patchbay_keys keys;
};

extern const patchbay_simulate simulate; /* simulate.c */
