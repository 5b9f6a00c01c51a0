/* program.c - chooses between select.h and jq.h. */
#include "expr/program.h"

int program_init(struct program *program, patchbay_str text, struct err *err)
{
	program->select = select_parse(text);
	program->jq = program->select ? NULL : jq_program_create(text, err);
	return program->select || program->jq ? 0 : -1;
}

void program_fini(struct program *program)
{
	select_free(program->select);
	jq_program_destroy(program->jq);
}

bool program_eval(patchbay_call *call, const struct program *program, const patchbay_delivery *d, patchbay_value *out)
{
	return program->select ? select_eval(call, program->select, d, out)
			       : jq_program_eval(call, program->jq, d, out);
}
