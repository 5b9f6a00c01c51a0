/* clauses.c - see clauses.h. jq binds, from loose to tight: | , // = or and == + *. Where something that stands
 * outside of brackets binds looser than `//`, or is a keyword, the program stays in one piece. */
#include "expr/clauses.h"

#include "expr/expr.h"
#include "expr/lex.h"

#include <string.h>

#define NESTING_MAX 50 /* brackets around brackets that are looked into */
#define PROGRAM_SHOWN 120
#define VALUE_SHOWN 80

/* What a program is taken apart at, if it is: from the loosest on. */
enum level { BLOCK, PIPE, LOOSE, ALTERNATIVE, OR, AND, COMPARISON, NOTHING };

struct operator
{
	const char *text;
	enum level level;
};

/* Longer ones first. */
static const struct operator operators[] = {
	{ "?//", BLOCK },     { "//=", LOOSE },     { "//", ALTERNATIVE }, { "==", COMPARISON }, { "!=", COMPARISON },
	{ "<=", COMPARISON }, { ">=", COMPARISON }, { "|=", LOOSE },       { "+=", LOOSE },      { "-=", LOOSE },
	{ "*=", LOOSE },      { "/=", LOOSE },      { "%=", LOOSE },       { "<", COMPARISON },  { ">", COMPARISON },
	{ "|", PIPE },        { ",", LOOSE },       { "=", LOOSE },        { ";", BLOCK },
};

static const struct operator words[] = {
	{ "or", OR },         { "and", AND },     { "if", BLOCK },  { "then", BLOCK },  { "elif", BLOCK },
	{ "else", BLOCK },    { "end", BLOCK },   { "as", BLOCK },  { "def", BLOCK },   { "reduce", BLOCK },
	{ "foreach", BLOCK }, { "label", BLOCK }, { "try", BLOCK }, { "catch", BLOCK },
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* Steps through the operators that stand outside of brackets and strings. */
struct scan {
	struct lex lex;
	size_t begin, end; /* the operator's */
	enum level level;
};

static const struct operator* operator_at(const struct scan *scan, enum lex_kind kind)
{
	size_t at = (size_t)(scan->lex.token.p - scan->lex.text.p);
	patchbay_str rest = { scan->lex.text.p + at, scan->lex.text.n - at };
	if (kind == LEX_WORD) {
		for (size_t i = 0; i < N(words); i++)
			if (str_is(scan->lex.token, words[i].text))
				return &words[i];
		return NULL;
	}
	for (size_t i = 0; i < N(operators); i++)
		if (str_starts(rest, str_c(operators[i].text)))
			return &operators[i];
	return NULL;
}

static void scan_begin(struct scan *scan, patchbay_str program)
{
	*scan = (struct scan){ .level = NOTHING };
	lex_init(&scan->lex, program);
}

static bool scan_next(struct scan *scan)
{
	for (;;) {
		size_t depth = scan->lex.depth;
		enum lex_kind kind = lex_next(&scan->lex);
		if (kind != LEX_WORD && kind != LEX_OTHER)
			return false;
		size_t at = (size_t)(scan->lex.token.p - scan->lex.text.p);
		if (depth || scan->lex.depth || at < scan->end)
			continue; /* inside of something, or the rest of the operator before */
		const struct operator* found = operator_at(scan, kind);
		if (!found)
			continue;
		scan->begin = at;
		scan->end = at + strlen(found->text);
		scan->level = found->level;
		return true;
	}
}

static enum level level_of(patchbay_str program)
{
	struct scan scan;
	enum level loosest = NOTHING;
	size_t comparisons = 0;
	scan_begin(&scan, program);
	while (scan_next(&scan)) {
		comparisons += scan.level == COMPARISON;
		if (scan.level < loosest)
			loosest = scan.level;
	}
	return loosest == COMPARISON && comparisons > 1 ? BLOCK : loosest;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static patchbay_str trim(patchbay_str s)
{
	while (s.n && is_space(s.p[0]))
		s = (patchbay_str){ s.p + 1, s.n - 1 };
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static patchbay_str slice(patchbay_str s, size_t begin, size_t end)
{
	return trim((patchbay_str){ s.p + begin, end - begin });
}

/* "(a or b)" -> "a or b", when the first bracket is closed by the last. */
static bool strip_brackets(patchbay_str *program)
{
	struct lex lex;
	enum lex_kind kind;
	if (program->n < 2 || program->p[0] != '(' || program->p[program->n - 1] != ')')
		return false;
	lex_init(&lex, *program);
	while ((kind = lex_next(&lex)) == LEX_WORD || kind == LEX_OTHER)
		if (lex.depth == 0)
			break;
	if (kind != LEX_OTHER || lex.at != program->n)
		return false;
	*program = slice(*program, 1, program->n - 1);
	return true;
}

/* "select(X)" -> "X", for that name. */
static bool strip_call(patchbay_str *program, patchbay_str name)
{
	if (!str_starts(*program, name))
		return false;
	patchbay_str arguments = slice(*program, name.n, program->n);
	if (!strip_brackets(&arguments))
		return false;
	*program = arguments;
	return true;
}

/* ---- Showing */

static void add_clipped(struct buf *out, patchbay_str s, size_t max)
{
	size_t n = s.n;
	if (n > max)
		for (n = max; n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80;)
			n--;
	for (size_t i = 0; i < n; i++) /* a filter may stand on many lines */
		if (!is_space(s.p[i]) || i == 0 || !is_space(s.p[i - 1]))
			buf_add(out, is_space(s.p[i]) ? " " : &s.p[i], 1);
	if (n < s.n)
		buf_add_str(out, STR("..."));
}

static void add_value(struct buf *out, const patchbay_value *value)
{
	struct buf quoted = { 0 };
	switch (value->type) {
	case PATCHBAY_JSON_NULL:
		buf_add_str(out, STR("null"));
		return;
	case PATCHBAY_JSON_FALSE:
		buf_add_str(out, STR("false"));
		return;
	case PATCHBAY_JSON_TRUE:
		buf_add_str(out, STR("true"));
		return;
	case PATCHBAY_JSON_STRING:
		buf_add_json_string(&quoted, value->text);
		add_clipped(out, buf_str(&quoted), VALUE_SHOWN);
		buf_free(&quoted);
		return;
	default:
		add_clipped(out, value->text, VALUE_SHOWN);
	}
}

static bool eval(patchbay_call *call, patchbay_str program, const patchbay_delivery *event, patchbay_value *ret)
{
	struct err err = { 0 };
	patchbay_expr *expr = expr_compile(EXPR_PROGRAM, program, &err);
	if (!expr) {
		call_explain(call, "%s", err.text);
		return false;
	}
	*ret = (patchbay_value){ .size = sizeof(*ret) };
	bool ok = expr_eval(call, expr, event, NULL, NULL, ret);
	if (ok)
		ret->text = arena_copy(&call->arena, ret->text); /* it may be a literal of the program */
	expr_free(expr);
	return ok;
}

static bool is_literal(patchbay_str s)
{
	return !s.n || s.p[0] == '"' || s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9') || str_is(s, "null") ||
	       str_is(s, "true") || str_is(s, "false");
}

static void add_operand(patchbay_call *call, patchbay_str operand, const patchbay_delivery *event, struct buf *out)
{
	patchbay_value value;
	if (is_literal(operand))
		return;
	buf_add_str(out, STR(", "));
	add_clipped(out, operand, PROGRAM_SHOWN);
	if (eval(call, operand, event, &value)) {
		buf_add_str(out, STR(" is "));
		add_value(out, &value);
	} else {
		buf_addf(out, " fails: %.*s", STR_ARG(call->why));
	}
}

/* The first operator of that level. */
static void split(patchbay_str program, enum level level, patchbay_str *left, patchbay_str *right)
{
	struct scan scan;
	scan_begin(&scan, program);
	while (scan_next(&scan) && scan.level != level)
		;
	*left = slice(program, 0, scan.begin);
	*right = slice(program, scan.end, program.n);
}

/* Of "any(.data.tags[]; . == 1)" the values that were looked at. */
static void add_elements(patchbay_call *call, patchbay_str arguments, const patchbay_delivery *event, struct buf *out)
{
	struct buf list = { 0 };
	patchbay_str left, right;
	if (level_of(arguments) != BLOCK)
		return;
	split(arguments, BLOCK, &left, &right);
	buf_addf(&list, "[%.*s]", STR_ARG(left));
	add_operand(call, buf_str(&list), event, out);
	buf_free(&list);
}

/* ---- Taking apart */

static bool is_true(const patchbay_value *value)
{
	return value->type != PATCHBAY_JSON_NULL && value->type != PATCHBAY_JSON_FALSE;
}

static void explain_leaf(patchbay_call *call, patchbay_str program, enum level level, const patchbay_delivery *event,
			 struct buf *out)
{
	patchbay_value value;
	patchbay_str left, right;
	if (!eval(call, program, event, &value)) {
		buf_addf(out, "%.*s", STR_ARG(call->why));
		return;
	}
	buf_add_str(out, STR("`"));
	add_clipped(out, program, PROGRAM_SHOWN);
	buf_add_str(out, STR("` was "));
	add_value(out, &value);
	if (level == COMPARISON || level == PIPE) {
		split(program, level, &left, &right);
		add_operand(call, left, event, out);
		if (level == COMPARISON)
			add_operand(call, right, event, out);
	} else if (strip_call(&program, STR("any")) || strip_call(&program, STR("all"))) {
		add_elements(call, program, event, out);
	}
}

/* Of `a // b` as of `a or b` nothing was true. */
static bool is_connective(enum level level)
{
	return level == ALTERNATIVE || level == OR || level == AND;
}

/* True: this part is true, and nothing was added. */
static bool explain(patchbay_call *call, patchbay_str program, const patchbay_delivery *event, struct buf *out,
		    int nesting)
{
	patchbay_value value;
	program = trim(program);
	if (eval(call, program, event, &value) && is_true(&value))
		return true;
	while (nesting < NESTING_MAX && (strip_brackets(&program) || strip_call(&program, STR("select"))))
		nesting++;
	enum level level = level_of(program);
	if (!is_connective(level) || nesting >= NESTING_MAX) {
		explain_leaf(call, program, level, event, out);
		return false;
	}
	struct scan scan;
	size_t begin = 0, parts = 0, before = out->n;
	bool more;
	scan_begin(&scan, program);
	do {
		while ((more = scan_next(&scan)) && scan.level != level)
			;
		patchbay_str part = slice(program, begin, more ? scan.begin : program.n);
		begin = scan.end;
		if (parts++ && out->n > before)
			buf_add_str(out, STR("; "));
		bool ok = explain(call, part, event, out, nesting + 1);
		if (!ok && level == AND)
			break;
	} while (more);
	if (out->n == before) /* a part that gives several values */
		explain_leaf(call, program, LOOSE, event, out);
	return false;
}

void clauses_explain(patchbay_call *call, patchbay_str program, const patchbay_delivery *event, struct buf *out)
{
	explain(call, program, event, out, 0);
}

static bool assigns(patchbay_str program, int nesting)
{
	struct scan scan;
	size_t begin = 0;
	bool more, found = false;
	program = trim(program);
	while (nesting < NESTING_MAX && strip_brackets(&program))
		nesting++;
	enum level level = level_of(program);
	if (nesting >= NESTING_MAX || (level != LOOSE && !is_connective(level)))
		return false;
	scan_begin(&scan, program);
	do {
		while ((more = scan_next(&scan)) && scan.level != level)
			;
		found = level != LOOSE ? assigns(slice(program, begin, more ? scan.begin : program.n), nesting + 1)
				       : more && str_is(slice(program, scan.begin, scan.end), "=");
		begin = scan.end;
	} while (more && !found);
	return found;
}

bool clauses_assigns(patchbay_str program)
{
	return assigns(program, 0);
}
