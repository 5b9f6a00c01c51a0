/* csv.h - reads a CSV answer (RFC 4180, first row: names) as JSON objects, row by row. Every value is a string, as
 * it stands: what is a number, the API knows. */
#ifndef MOTIVATE_CSV_H
#define MOTIVATE_CSV_H

#include <patchbay/plugin.h>

#define CSV_COLUMNS_MAX 1000

struct csv {
	const patchbay_host *host;
	patchbay_call *call;
	patchbay_str text;
	size_t at;
	patchbay_str *names;
	size_t n_names;
	const char *wrong; /* what is wrong with the text */
};

/* False: there is no row of names, or csv->wrong. */
bool csv_open(struct csv *, const patchbay_host *, patchbay_call *, patchbay_str text);
/* The next row as a JSON object; false: no more, or csv->wrong. Cells without a name are called "column_N", missing
 * ones are left out, lines without anything are passed over. */
bool csv_next(struct csv *, patchbay_str *ret);

#endif
