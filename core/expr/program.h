/* program.h - one jq program, by whichever evaluator fits it. */
#ifndef EXPR_PROGRAM_H
#define EXPR_PROGRAM_H

#include "expr/jq.h"
#include "expr/select.h"

struct program {
	struct select *select;
	struct jq_program *jq; /* if not select */
};

int program_init(struct program *, patchbay_str text, struct err *err);
void program_fini(struct program *);
/* out->type 0: no value. */
bool program_eval(patchbay_call *, const struct program *, const patchbay_delivery *, patchbay_value *out);

#endif
