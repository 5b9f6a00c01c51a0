/* csv-export.h - an instance of the sink. */
#ifndef CSV_EXPORT_H
#define CSV_EXPORT_H

#include "output.h"
#include "row.h"

#include <patchbay/preview.h>
#include <patchbay/services.h>

enum { HANDOVER_LIVE, HANDOVER_CLOSED };

struct options {
	patchbay_str path;
	patchbay_fields columns;
	int64_t profile, formula_guard, handover;
	bool header;
};

struct csv {
	const patchbay_host *host;
	const patchbay_expr_service *expr;
	const struct options *options;
	char *pattern;
	uint64_t *failures; /* of each column */
	struct rows rows;
	struct output out;
	char checkpoint[PLACE_TEXT_MAX];
};

extern const patchbay_preview csv_preview; /* preview.c */

#endif
