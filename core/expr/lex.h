/* lex.h - as much of jq's lexical grammar as is needed to see where strings, comments and brackets end:
 * to find the end of an interpolation, and to see which names a program calls. */
#ifndef EXPR_LEX_H
#define EXPR_LEX_H

#include "base/err.h"
#include "base/str.h"

#define LEX_DEPTH_MAX 200

enum lex_kind {
	LEX_END,
	LEX_WORD,    /* name, .name, $name, @name, digits; a::b is one word */
	LEX_OTHER,   /* any other single byte, an opening quote too */
	LEX_EXCESS,  /* a closing bracket that nothing opened, or that does not fit what was opened */
	LEX_BROKEN,  /* a string that does not end, or brackets nested too deeply */
};

struct lex {
	patchbay_str text;
	size_t at;         /* behind the token */
	patchbay_str token;
	size_t depth;
	char open[LEX_DEPTH_MAX]; /* '(' '[' '{', and '"' for an interpolation inside a string */
};

void lex_init(struct lex *, patchbay_str text);
enum lex_kind lex_next(struct lex *); /* comments, white space and what is inside strings are passed over */

/* Appends what the escapes of a jq string stand for. `inner` is what stands between the quotes. */
int lex_unescape(patchbay_str inner, struct buf *ret, struct err *err);

bool lex_is_utf8(patchbay_str);

#endif
