/* portable.h - records as lines of JSON, for other programs and other machines. The format is described in FORMAT.md; a
 * line gives back exactly the record that it was made of. */
#ifndef JOURNAL_PORTABLE_H
#define JOURNAL_PORTABLE_H

#include "base/call.h"
#include "journal/journal.h"

#define PORTABLE_FORMAT "patchbay-events"
#define PORTABLE_VERSION 1

/* The first line. */
void portable_encode_header(struct buf *, const char *release, int64_t now_ns);
/* One line without its end, and without the closing brace: members may be added before that. */
void portable_encode(struct buf *, const struct journal_record *);

/* Is this a first line of a version that is known? -1: err. */
int portable_decode_header(patchbay_call *, patchbay_str line, struct err *err);
/* The texts live as long as the line and what was allocated in the call. -1: err. */
int portable_decode(patchbay_call *, patchbay_str line, struct journal_record *ret, struct err *err);

#endif
