/* jq.h - programs that libjq evaluates. Nothing else in here includes libjq's headers. */
#ifndef EXPR_JQ_H
#define EXPR_JQ_H

#include "base/call.h"
#include "base/err.h"

#include <patchbay/services.h>

struct jq_program;

/* Compiles, unless this very text is known to compile (then at the first evaluation). NULL: err says
 * what is wrong. A program is used by one thread at a time. */
struct jq_program *jq_program_create(patchbay_str text, struct err *err);
void jq_program_destroy(struct jq_program *); /* NULL is fine */

/* Does each text compile? 0 if all do; else -1, errs[i].text is "" for those that do. About a hundred
 * texts share one compilation, and what is known to compile costs none. */
int jq_check(const patchbay_str *texts, size_t n, struct err *errs);

/* As expr_eval(). out->type 0: the program gave no value. */
bool jq_program_eval(patchbay_call *, struct jq_program *, const patchbay_delivery *, patchbay_value *out);

#endif
