/* text.c - templates, split into literals and programs once, then evaluated part by part. */
#include "expr/text.h"

#include "base/mem.h"
#include "base/str.h"
#include "expr/lex.h"

#include <stdlib.h>

struct part {
	bool interpolated;
	struct program program;
	char *literal;
	size_t n;
};

struct text {
	struct part *parts;
	size_t n;
};

/* Where the next interpolation's backslash is, or the end. */
static size_t find_interpolation(patchbay_str s, size_t at)
{
	while (at < s.n && s.p[at] != '\\')
		at++;
	for (; at + 1 < s.n; at++) {
		if (s.p[at] != '\\')
			continue;
		if (s.p[at + 1] == '(')
			return at;
		at++;
	}
	return s.n;
}

/* The program that starts behind `\(`. *ret_end: behind its closing parenthesis. */
static int take_program(patchbay_str s, size_t start, patchbay_str *ret, size_t *ret_end, struct err *err)
{
	struct lex lex;
	enum lex_kind kind;
	lex_init(&lex, (patchbay_str){ s.p + start, s.n - start });
	while ((kind = lex_next(&lex)) == LEX_WORD || kind == LEX_OTHER)
		;
	if (kind != LEX_EXCESS || lex.depth || lex.token.p[0] != ')') {
		int shown = s.n - start < 40 ? (int)(s.n - start) : 40;
		return err_set(err, "'\\(%.*s' is not closed by a ')'; write '\\\\(' for the two characters themselves",
			       shown, s.p + start);
	}
	*ret = (patchbay_str){ s.p + start, lex.at - 1 };
	*ret_end = start + lex.at;
	return 0;
}

static struct part *add_part(struct text *text)
{
	text->parts = xrealloc(text->parts, (text->n + 1) * sizeof(*text->parts));
	text->parts[text->n] = (struct part){ 0 };
	return &text->parts[text->n++];
}

static int add_literal(struct text *text, patchbay_str s, struct err *err)
{
	struct buf plain = { 0 };
	if (lex_unescape(s, &plain, err) != 0) {
		buf_free(&plain);
		return -1;
	}
	struct part *part = add_part(text);
	part->literal = plain.p; /* taken over */
	part->n = plain.n;
	return 0;
}

static int add_program(struct text *text, patchbay_str s, struct err *err)
{
	struct part *part = add_part(text);
	struct err why = { "" };
	part->interpolated = true;
	if (program_init(&part->program, s, &why) == 0)
		return 0;
	return err_set(err, "\\(%.*s): %s", s.n < 100 ? (int)s.n : 100, s.p, why.text);
}

static int parse(struct text *text, patchbay_str s, struct err *err)
{
	if (!lex_is_utf8(s))
		return err_set(err, "the text is not UTF-8");
	for (size_t at = 0; at < s.n;) {
		size_t next = find_interpolation(s, at);
		patchbay_str program;
		if (next > at && add_literal(text, (patchbay_str){ s.p + at, next - at }, err) != 0)
			return -1;
		if (next == s.n)
			break;
		if (take_program(s, next + 2, &program, &at, err) != 0 || add_program(text, program, err) != 0)
			return -1;
	}
	return 0;
}

struct text *text_parse(patchbay_str s, struct err *err)
{
	struct text *text = xcalloc(1, sizeof(*text));
	if (parse(text, s, err) == 0)
		return text;
	text_free(text);
	return NULL;
}

void text_free(struct text *text)
{
	if (!text)
		return;
	for (size_t i = 0; i < text->n; i++) {
		program_fini(&text->parts[i].program);
		free(text->parts[i].literal);
	}
	free(text->parts);
	free(text);
}

static bool add_value(patchbay_call *call, const struct part *part, const patchbay_delivery *d, patchbay_escape escape,
		      void *ctx, struct buf *out)
{
	patchbay_value value = { .size = sizeof(value) };
	if (!program_eval(call, &part->program, d, &value))
		return false;
	patchbay_str s = value.type == PATCHBAY_JSON_NULL ? STR("null") : value.text;
	if (value.type != 0 && escape)
		s = escape(ctx, call, s);
	buf_add_str(out, s);
	return true;
}

bool text_eval(patchbay_call *call, const struct text *text, const patchbay_delivery *d, patchbay_escape escape,
	       void *ctx, patchbay_value *out)
{
	struct buf whole = { 0 };
	bool ok = true;
	for (size_t i = 0; ok && i < text->n; i++) {
		const struct part *part = &text->parts[i];
		if (part->interpolated)
			ok = add_value(call, part, d, escape, ctx, &whole);
		else
			buf_add(&whole, part->literal, part->n);
	}
	if (ok) {
		out->type = PATCHBAY_JSON_STRING;
		out->text = arena_copy(&call->arena, whole.n ? buf_str(&whole) : STR(""));
		ok = out->text.p != NULL;
		if (!ok)
			call_explain(call, "the text is larger than this call's memory");
	}
	buf_free(&whole);
	return ok;
}
