/* off.c - finds calls of switched-off names in a program. Where a name only looks like one (`.env`,
 * {input: 1}, {input}, or the program's own `def input`) it is let through; libjq's prelude stops the rest. */
#include "expr/off.h"

#include "base/str.h"
#include "expr/lex.h"

#include <string.h>

static const char *const off_names[] = {
	"env",
	"$ENV",
	"input",
	"inputs",
	"debug",
	"stderr",
	"input_filename",
	"input_line_number",
	"get_search_list",
	"get_prog_origin",
	"get_jq_origin",
	"modulemeta",
	"halt",
	"halt_error",
	"import",
	"include",
	NULL,
};

static bool is_off(patchbay_str word)
{
	size_t i = 0;
	while (off_names[i] && !str_is(word, off_names[i]))
		i++;
	return off_names[i] != NULL;
}

static bool defines(patchbay_str program, patchbay_str name)
{
	struct lex lex;
	bool def = false;
	lex_init(&lex, program);
	for (enum lex_kind kind; (kind = lex_next(&lex)) == LEX_WORD || kind == LEX_OTHER;) {
		if (def && str_eq(lex.token, name))
			return true;
		def = str_is(lex.token, "def");
	}
	return false;
}

/* Is the word that was just read a key of an object, not a call? */
static bool is_key(const struct lex *at, char before)
{
	struct lex next = *at;
	lex_next(&next);
	char behind = next.token.n ? next.token.p[0] : 0;
	if (behind == ':')
		return true;
	bool in_object = at->depth && at->open[at->depth - 1] == '{';
	return in_object && (before == '{' || before == ',') && (behind == '}' || behind == ',');
}

static int refuse(const struct lex *lex, enum lex_kind kind, struct err *err)
{
	if (kind == LEX_BROKEN)
		return err_set(err, "a string does not end, or brackets are nested more than %d deep", LEX_DEPTH_MAX);
	if (kind == LEX_EXCESS)
		return err_set(err, "'%.*s' closes nothing", STR_ARG(lex->token));
	return err_set(err, "'%c' is never closed", lex->open[lex->depth - 1]);
}

int off_check(patchbay_str program, struct err *err)
{
	struct lex lex;
	enum lex_kind kind;
	char before = 0;
	bool empty = true;
	if (!lex_is_utf8(program) || (program.n && memchr(program.p, 0, program.n)))
		return err_set(err, "the text is not UTF-8, or has a NUL in it");
	lex_init(&lex, program);
	while ((kind = lex_next(&lex)) == LEX_WORD || kind == LEX_OTHER) {
		empty = false;
		if (kind == LEX_WORD && is_off(lex.token) && !defines(program, lex.token) &&
		    (lex.token.p[0] == '$' || !is_key(&lex, before)))
			return err_set(err, "`%.*s` is switched off: an expression sees the event and nothing else",
				       STR_ARG(lex.token));
		before = lex.token.p[lex.token.n - 1];
	}
	if (kind != LEX_END || lex.depth)
		return refuse(&lex, kind, err);
	if (empty)
		return err_set(err, "the expression is empty; '.' stands for the whole event");
	return 0;
}
