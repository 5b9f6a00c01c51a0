/* ahead.h - the positions behind a sink's cursor that are settled already, because calls end in any order. Reading
 * again from the cursor passes them over. As many as calls can run ahead of the slowest one. */
#ifndef DELIVER_AHEAD_H
#define DELIVER_AHEAD_H

#include "journal/journal.h"

#include <stdbool.h>

struct ahead { /* ascending */
	struct journal_pos *v;
	size_t n, room;
};

void ahead_add(struct ahead *, struct journal_pos);
bool ahead_has(const struct ahead *, struct journal_pos);
void ahead_drop_before(struct ahead *, struct journal_pos cursor);
void ahead_free(struct ahead *);

#endif
