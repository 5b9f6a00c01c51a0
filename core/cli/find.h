/* find.h - the event that a person means by an id, or by its first digits. */
#ifndef CLI_FIND_H
#define CLI_FIND_H

#include "cli/view.h"

#define FIND_DIGITS_MIN 8 /* hex digits of an id that may stand for all of it */

/* A whole id is taken as it is, whether there is such an event or not. The beginning of one must be that of exactly one
 * event, quarantined request, or dead letter. -1: err says why not. */
int find_id(struct view *, const char *text, struct id *ret, struct err *err);

#endif
