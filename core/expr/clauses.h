/* clauses.h - why a filter came out as it did, for a person: which of its parts decided, and what the compared
 * values were. A filter is taken apart at `//`, `or`, `and` and comparisons only where that certainly does not change
 * its meaning; otherwise it is one part. */
#ifndef EXPR_CLAUSES_H
#define EXPR_CLAUSES_H

#include "base/call.h"
#include "base/str.h"

#include <patchbay/services.h>

/* Adds, for a filter that is not true for this event: "`.data.score > 80` was false, .data.score is 71". Of an
 * `and`, the first part that was not true; of an `or`, all of them. Nothing is added when the filter is true.
 * The call must have been begun for this event; what it explained is lost. */
void clauses_explain(patchbay_call *, patchbay_str program, const patchbay_delivery *, struct buf *out);

/* Does a part of this filter set a value, `.a = 1`, where it should compare? It is true for every event then. */
bool clauses_assigns(patchbay_str program);

#endif
