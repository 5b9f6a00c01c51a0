/* text.h - what came from outside, on a person's terminal: control characters never get there. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "base/str.h"

#include <stdio.h>

/* Adds the text; control characters (of ASCII and of Unicode) and bytes that are not UTF-8 become '?'. */
void text_add_clean(struct buf *, patchbay_str);
void text_print(FILE *, patchbay_str);
/* The same, filled up with spaces to that many characters, and at least one. */
void text_print_column(FILE *, patchbay_str, size_t width);

#define TEXT_TIME_SIZE 40
/* "2026-11-22T04:13:54.123Z", to the millisecond. */
const char *text_time(int64_t wall_ns, char out[TEXT_TIME_SIZE]);

/* Is it one JSON value? */
bool text_is_json(patchbay_str);
/* Prints JSON with a line for each member, every line behind `indent` spaces; strings and numbers as they
 * stand. What is no JSON is printed as it is, but clean. */
void text_print_json(FILE *, patchbay_str, int indent);

#endif
