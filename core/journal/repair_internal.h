/* repair_internal.h - what the files of the repair share. */
#ifndef JOURNAL_REPAIR_INTERNAL_H
#define JOURNAL_REPAIR_INTERNAL_H

#include "journal/inspect.h"
#include "journal/repair.h"

struct repair {
	const struct repair_order *order;
	struct repair_sums *sums;
};

/* Says that, and counts it. */
void repair_say(struct repair *, const char *file, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The path of a file in the folder of what was taken out, which is made if need be; free() it. part: "events", or "".
 * NULL: err. */
char *repair_aside(struct repair *, const char *part, const char *name, struct err *err);
/* Moves a file there. One that is not there is fine. */
int repair_move(struct repair *, const char *part, const char *name, struct err *err);

/* repair_log.c: mends a log whose every segment has been read. *ret_end: where it ends then, and whether its last
 * segment was lost, so that positions behind that may have been used. */
int repair_log(struct repair *, struct inspect_log *, const char *part, struct journal_pos *ret_end, bool *ret_lost,
	       struct err *err);

#endif
