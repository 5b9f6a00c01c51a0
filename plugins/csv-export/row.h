/* row.h - rows of CSV (RFC 4180) in memory. */
#ifndef CSV_EXPORT_ROW_H
#define CSV_EXPORT_ROW_H

#include <patchbay/services.h>

enum { PROFILE_RFC4180, PROFILE_EXCEL }; /* excel: byte order mark, cells' line breaks as LF */
enum { GUARD_QUOTE, GUARD_TAB, GUARD_OFF }; /* what goes before a string that a spreadsheet would calculate */

struct rows {
	char *p;
	size_t n, room;
	bool failed; /* out of memory; everything added since is missing */
	size_t cells_in_row, row_start;
	int64_t profile, guard;
};

void rows_free(struct rows *);
/* A cell of the row at hand. type: PATCHBAY_JSON_*; only strings are guarded. */
void rows_add_cell(struct rows *, int32_t type, patchbay_str text);
void rows_add_label(struct rows *, patchbay_str text); /* a cell of the header: never guarded */
void rows_end_row(struct rows *);
void rows_add_raw(struct rows *, const void *p, size_t n);

#endif
