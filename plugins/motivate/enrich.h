/* enrich.h - details of FTP jobs with errors: the webhook only counts them, the API has them row by row. */
#ifndef MOTIVATE_ENRICH_H
#define MOTIVATE_ENRICH_H

#include "motivate.h"

#include <patchbay/fetch.h>

struct enrich_options {
	const patchbay_expr *path;
	int64_t within;
};

#define ENRICH_N_OPTIONS 2
extern const patchbay_option enrich_option_table[ENRICH_N_OPTIONS];

/* Is this message about an FTP job that went wrong, at least in part? */
bool enrich_wanted(const struct motivate *, patchbay_call *, const patchbay_json *event_data);

extern const patchbay_enrich motivate_enrich;

#endif
