/* expr.h - the expressions of routes.yaml: jq programs and jq strings over the envelope of an event
 * (.id .source .plugin .type .kind .subject .time .time_source .received .test .dedupe .data .details .details_error).
 * What only selects (.data.id, .a // .b, "text") is evaluated here, over the source text, exactly;
 * everything else by libjq, which knows numbers as doubles only. env, $ENV, input, modules and the
 * like are off: an expression sees the event and nothing else.
 * .subject is null where the provider names none, .data is null where the event brought no JSON. .details is what the
 * source fetched about the event, or null; .details_error says why not, if it should have.
 * Where alternatives only select (.a.b // .c), one that fails counts as missing; libjq 1.6 would fail.
 * In a text, null reads "null", as in jq (write `.a // ""`), and a bare " stands for itself. */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include "base/call.h"
#include "base/err.h"

#include <patchbay/services.h>

enum expr_form {
	EXPR_PROGRAM, /* a jq program */
	EXPR_TEXT,    /* what stands between the quotes of a jq string: 'Hard brake: \(.data.location)' */
};

/* The names of the envelope's fields, NULL-terminated: "id", "source", ... */
extern const char *const expr_envelope_fields[];

/* NULL: err says what is wrong with the text (one line, no position). The result may be used by several
 * threads at once. Compiling what libjq must evaluate costs about 15 ms. */
patchbay_expr *expr_compile(enum expr_form, patchbay_str text, struct err *err);
/* Whether many programs would compile, at about the cost of one for each hundred. 0 if all are right; else -1, and
 * errs[i].text is "" for those that are. What was found right is remembered: checking it again costs
 * nothing, and expr_compile() leaves it to the first evaluation. */
int expr_check_many(const patchbay_str *programs, size_t n, struct err *errs);
void expr_free(patchbay_expr *); /* NULL is fine */
patchbay_str expr_source(const patchbay_expr *);

/* The first value for this event, null if there is none. False: failed, explained in the call.
 * out->text lives until the call is over. */
bool expr_eval(patchbay_call *, const patchbay_expr *, const patchbay_delivery *, patchbay_escape escape,
               void *ctx, patchbay_value *out);

/* Is the first value neither null nor false? 1, 0, or -1: failed, explained. */
int expr_true(patchbay_call *, const patchbay_expr *, const patchbay_delivery *);

extern const patchbay_expr_service expr_service;

#endif
