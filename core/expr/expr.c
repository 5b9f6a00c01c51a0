/* expr.c - the front of the expressions: what config, router and plugins call. */
#include "expr/expr.h"

#include "base/mem.h"
#include "base/sized.h"
#include "base/str.h"
#include "expr/program.h"
#include "expr/text.h"

#include <stdlib.h>
#include <string.h>

#define DELIVERY_1_0 SIZED_END(patchbay_delivery, details_error)
#define VALUE_1_0 SIZED_END(patchbay_value, text)

struct patchbay_expr {
	char *source;
	size_t n;
	struct text *text;      /* EXPR_TEXT */
	struct program program; /* EXPR_PROGRAM */
};

patchbay_expr *expr_compile(enum expr_form form, patchbay_str text, struct err *err)
{
	patchbay_expr *expr = xcalloc(1, sizeof(*expr));
	expr->source = xcalloc(text.n + 1, 1);
	if (text.n)
		memcpy(expr->source, text.p, text.n);
	expr->n = text.n;
	text.p = expr->source; /* names and literals point into it */
	if (form == EXPR_TEXT)
		expr->text = text_parse(text, err);
	if (form == EXPR_TEXT ? !expr->text : program_init(&expr->program, text, err) != 0) {
		expr_free(expr);
		return NULL;
	}
	return expr;
}

int expr_check_many(const patchbay_str *programs, size_t n, struct err *errs)
{
	return n ? jq_check(programs, n, errs) : 0;
}

void expr_free(patchbay_expr *expr)
{
	if (!expr)
		return;
	text_free(expr->text);
	program_fini(&expr->program);
	free(expr->source);
	free(expr);
}

patchbay_str expr_source(const patchbay_expr *expr)
{
	return (patchbay_str){ expr->source, expr->n };
}

static void name_expression(patchbay_call *call, const patchbay_expr *expr)
{
	int shown = expr->n < 100 ? (int)expr->n : 100;
	call_explain(call, "`%.*s%s`: %.*s", shown, expr->source, expr->n > 100 ? "..." : "", STR_ARG(call->why));
}

bool expr_eval(patchbay_call *call, const patchbay_expr *expr, const patchbay_delivery *d, patchbay_escape escape,
	       void *ctx, patchbay_value *out)
{
	bool ok = expr->text ? text_eval(call, expr->text, d, escape, ctx, out)
			     : program_eval(call, &expr->program, d, out);
	if (!ok)
		name_expression(call, expr);
	else if (out->type == 0)
		out->type = PATCHBAY_JSON_NULL;
	return ok;
}

int expr_true(patchbay_call *call, const patchbay_expr *expr, const patchbay_delivery *d)
{
	patchbay_value value = { .size = sizeof(value) };
	if (!expr_eval(call, expr, d, NULL, NULL, &value))
		return -1;
	return value.type != PATCHBAY_JSON_NULL && value.type != PATCHBAY_JSON_FALSE;
}

/* As a plugin calls it: its structs may be shorter than ours, or longer. */
static bool service_eval(patchbay_call *call, const patchbay_expr *expr, const patchbay_delivery *given,
			 patchbay_escape escape, void *ctx, patchbay_value *out)
{
	patchbay_value value = { .size = sizeof(value) };
	patchbay_delivery d;
	if (!sized_has(given, DELIVERY_1_0) || !sized_has(out, VALUE_1_0)) {
		call_explain(call, "its plugin asked for the value of an expression with a struct without .size");
		return false;
	}
	sized_read(&d, sizeof(d), given);
	if (!expr_eval(call, expr, &d, escape, ctx, &value))
		return false;
	sized_write(out, &value, sizeof(value));
	return true;
}

const patchbay_expr_service expr_service = {
	.size = sizeof(expr_service),
	.eval = service_eval,
};
