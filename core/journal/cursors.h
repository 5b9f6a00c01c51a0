/* cursors.h - how far each source has been polled. The committer notes what a group brings, and makes it known once
 * that is durable. Each segment begins with a copy of all in one record, whose source is empty, so that older ones can
 * be pruned. */
#ifndef JOURNAL_CURSORS_H
#define JOURNAL_CURSORS_H

#include "journal/seglog.h"

struct cursors;

struct cursors *cursors_create(void);
void cursors_destroy(struct cursors *); /* NULL is fine */

/* [the committer, or while opening] */
void cursors_note(struct cursors *, patchbay_str source, patchbay_str cursor);
void cursors_note_durable(struct cursors *);
void cursors_forget_noted(struct cursors *);
size_t cursors_count(const struct cursors *); /* durable ones */
/* Appends the record that holds all durable ones. */
void cursors_encode(const struct cursors *, struct buf *);
/* Reads what stands in the segments. Returns the number of the oldest one that was needed; UINT64_MAX: there are none.
 */
uint64_t cursors_recover(struct cursors *, struct seglog *);

void cursors_get(struct cursors *, const char *source, struct buf *ret); /* [any thread] */

#endif
