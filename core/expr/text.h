/* text.h - templates: what stands between the quotes of a jq string. `\( ... )` interpolates, escapes
 * are jq's; a bare quotation mark stands for itself. */
#ifndef EXPR_TEXT_H
#define EXPR_TEXT_H

#include "expr/program.h"

struct text;

struct text *text_parse(patchbay_str text, struct err *err);
void text_free(struct text *); /* NULL is fine */

/* As expr_eval(). null reads "null", as in jq; an interpolation without a value (`empty`) reads as nothing. */
bool text_eval(patchbay_call *, const struct text *, const patchbay_delivery *, patchbay_escape escape, void *ctx,
	       patchbay_value *out);

#endif
