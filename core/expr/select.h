/* select.h - programs that only select: `.data.id`, `.a["b"][0]?`, literals, joined by `//`. Evaluated
 * over the source text, so that numbers come out as they went in. */
#ifndef EXPR_SELECT_H
#define EXPR_SELECT_H

#include "base/call.h"

#include <patchbay/services.h>

struct select;

struct select *select_parse(patchbay_str text); /* NULL: does more than that, or is broken; ask libjq */
void select_free(struct select *);              /* NULL is fine */

/* As expr_eval(). out->type 0: the program gave no value. */
bool select_eval(patchbay_call *, const struct select *, const patchbay_delivery *, patchbay_value *out);

#endif
