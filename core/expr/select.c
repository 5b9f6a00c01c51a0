/* select.c - parser and evaluator of what only selects. What jq's grammar allows beyond it is left to
 * libjq; what is accepted here means exactly what jq means by it (but for the numbers' digits). */
#include "expr/select.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "expr/envelope.h"
#include "expr/lex.h"

#include <stdlib.h>
#include <string.h>

struct step {
	patchbay_str name; /* a member, or, with p == NULL, the element `index` */
	int64_t index;     /* negative: from the end */
	bool optional;     /* `?`: where it does not apply there is no value, and no error */
};

struct alternative {
	int32_t literal; /* PATCHBAY_JSON_*, 0: a path */
	patchbay_str text;
	struct step *steps;
	size_t n_steps;
};

struct select {
	struct arena arena;
	struct alternative *v;
	size_t n;
};

/* ---- Parser */

struct parser {
	patchbay_str s;
	size_t at;
	struct select *ret;
	struct step *steps; /* unused ones */
};

static char peek(const struct parser *p)
{
	return p->at < p->s.n ? p->s.p[p->at] : 0;
}

static void pass_space(struct parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r')
		p->at++;
}

static bool take(struct parser *p, char c)
{
	if (peek(p) != c || c == 0)
		return false;
	p->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static patchbay_str take_name(struct parser *p)
{
	size_t start = p->at;
	if (is_name_start(peek(p)))
		while (is_name_start(peek(p)) || is_digit(peek(p)))
			p->at++;
	return (patchbay_str){ p->s.p + start, p->at - start };
}

static size_t take_digits(struct parser *p)
{
	size_t start = p->at;
	while (is_digit(peek(p)))
		p->at++;
	return p->at - start;
}

/* A string without interpolations. */
static bool take_string(struct parser *p, patchbay_str *ret)
{
	if (!take(p, '"'))
		return false;
	size_t start = p->at;
	while (p->at < p->s.n && peek(p) != '"') {
		if (peek(p) == '\\' && p->s.n - p->at > 1 && p->s.p[++p->at] == '(')
			return false;
		p->at++;
	}
	patchbay_str inner = { p->s.p + start, p->at - start };
	if (!take(p, '"'))
		return false;
	struct buf text = { 0 };
	bool ok = lex_unescape(inner, &text, NULL) == 0;
	if (ok)
		*ret = arena_copy(&p->ret->arena, text.n ? buf_str(&text) : STR(""));
	buf_free(&text);
	return ok;
}

static bool take_index(struct parser *p, int64_t *ret)
{
	bool negative = take(p, '-');
	size_t start = p->at, n = take_digits(p);
	if (n == 0 || n > 9)
		return false;
	*ret = 0;
	for (size_t i = start; i < p->at; i++)
		*ret = *ret * 10 + (p->s.p[i] - '0');
	if (negative)
		*ret = -*ret;
	return true;
}

static bool take_brackets(struct parser *p, struct step *step)
{
	pass_space(p);
	bool ok = peek(p) == '"' ? take_string(p, &step->name) : take_index(p, &step->index);
	pass_space(p);
	return ok && take(p, ']');
}

/* Behind a path's first dot, or behind a step. *dot: a dot was read that waits for its name. */
static bool take_steps(struct parser *p, struct alternative *alt, bool dot)
{
	for (bool first = true;; first = false) {
		if (!dot) {
			pass_space(p);
			dot = take(p, '.');
		}
		struct step *step = p->steps;
		if (dot && is_name_start(peek(p)))
			step->name = take_name(p);
		else if (dot && peek(p) == '"') {
			if (!take_string(p, &step->name))
				return false;
		} else if ((first || !dot) && peek(p) == '[') {
			p->at++;
			if (!take_brackets(p, step))
				return false;
		} else
			return first || !dot;
		dot = false;
		step->optional = take(p, '?');
		if (step->optional && peek(p) == '/') /* `?//` is a token of its own */
			return false;
		p->steps++;
		alt->n_steps++;
	}
}

static bool take_number(struct parser *p, struct alternative *alt)
{
	size_t start = p->at;
	bool zero = peek(p) == '0';
	size_t digits = take_digits(p);
	if (digits == 0 || (zero && digits > 1))
		return false;
	if (take(p, '.') && take_digits(p) == 0)
		return false;
	alt->literal = PATCHBAY_JSON_NUMBER;
	alt->text = arena_copy(&p->ret->arena, (patchbay_str){ p->s.p + start, p->at - start });
	return true;
}

static bool take_alternative(struct parser *p, struct alternative *alt)
{
	pass_space(p);
	if (take(p, '.')) {
		alt->steps = p->steps;
		return take_steps(p, alt, true);
	}
	if (peek(p) == '"') {
		alt->literal = PATCHBAY_JSON_STRING;
		return take_string(p, &alt->text);
	}
	if (is_digit(peek(p)))
		return take_number(p, alt);
	patchbay_str word = take_name(p);
	alt->literal = str_is(word, "null")    ? PATCHBAY_JSON_NULL
		       : str_is(word, "true")  ? PATCHBAY_JSON_TRUE
		       : str_is(word, "false") ? PATCHBAY_JSON_FALSE
					       : 0;
	alt->text = alt->literal == PATCHBAY_JSON_TRUE    ? STR("true")
		    : alt->literal == PATCHBAY_JSON_FALSE ? STR("false")
							  : STR("");
	return alt->literal != 0;
}

static size_t count(patchbay_str s, const char *set)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] != 0 && strchr(set, s.p[i]) != NULL;
	return n;
}

static bool parse(struct parser *p)
{
	do {
		if (!take_alternative(p, &p->ret->v[p->ret->n++]))
			return false;
		pass_space(p);
	} while (take(p, '/') && take(p, '/'));
	return p->at == p->s.n && p->at > 0 && (p->s.p[p->at - 1] != '/');
}

struct select *select_parse(patchbay_str text)
{
	struct select *select = xcalloc(1, sizeof(*select));
	struct parser p = { .s = text, .ret = select };
	/* A step has a dot or a bracket, an alternative a slash: never more of them than these. */
	p.steps = arena_alloc(&select->arena, (count(text, ".[") + 1) * sizeof(struct step));
	select->v = arena_alloc(&select->arena, (count(text, "/") + 1) * sizeof(struct alternative));
	if (parse(&p))
		return select;
	select_free(select);
	return NULL;
}

void select_free(struct select *select)
{
	if (!select)
		return;
	arena_fini(&select->arena);
	free(select);
}

/* ---- Evaluator */

struct value { /* inside data: json; else type and text, as in patchbay_value */
	const patchbay_json *json;
	int32_t type; /* 0: the whole envelope */
	patchbay_str text;
};

static const char *type_name(int32_t type)
{
	static const char *const names[] = { "the event", "null",     "false",    "true",
					     "a number",  "a string", "an array", "an object" };
	return names[type];
}

static bool cannot(patchbay_call *call, const struct step *step, int32_t type)
{
	if (step->name.p)
		call_explain(call, "there is no \"%.*s\" in %s", STR_ARG(step->name), type_name(type));
	else
		call_explain(call, "there is no [%lld] in %s", (long long)step->index, type_name(type));
	return false;
}

static void set_json(struct value *value, const patchbay_json *json)
{
	*value = (struct value){ .json = json, .type = json ? json_type(json) : PATCHBAY_JSON_NULL };
}

static bool step_into(patchbay_call *call, const patchbay_delivery *d, const struct step *step, struct value *value)
{
	if (value->type == PATCHBAY_JSON_NULL)
		return true;
	if (value->type == 0 && step->name.p) {
		if (envelope_is_json(step->name))
			set_json(value, envelope_json_field(call, d, step->name));
		else if ((value->type = envelope_field(call, d, step->name, &value->text)) == 0)
			value->type = PATCHBAY_JSON_NULL;
		return true;
	}
	if (value->type == PATCHBAY_JSON_OBJECT && step->name.p) {
		set_json(value, json_get(call, value->json, step->name));
		return true;
	}
	if (value->type == PATCHBAY_JSON_ARRAY && !step->name.p) {
		int64_t n = json_count(value->json), i = step->index < 0 ? step->index + n : step->index;
		set_json(value, i >= 0 && i < n ? json_at(call, value->json, (uint32_t)i) : NULL);
		return true;
	}
	return false;
}

/* JSON text without the white space between its tokens; borrowed where there is none. */
static patchbay_str compact(patchbay_call *call, patchbay_str raw)
{
	char *out = NULL;
	size_t n = 0;
	bool inside = false;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		if (c == '"')
			inside = !inside;
		if (!inside && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
			if (!out) {
				out = arena_alloc(&call->arena, raw.n);
				if (!out)
					return (patchbay_str){ NULL, 0 };
				memcpy(out, raw.p, i);
			}
			continue;
		}
		if (out)
			out[n] = c;
		n++;
		if (inside && c == '\\' && i + 1 < raw.n) {
			if (out)
				out[n] = raw.p[i + 1];
			n++;
			i++;
		}
	}
	return (patchbay_str){ out ? out : raw.p, n };
}

static bool show(patchbay_call *call, const patchbay_delivery *d, const struct value *value, patchbay_value *out)
{
	out->type = value->type ? value->type : PATCHBAY_JSON_OBJECT;
	out->text = value->text;
	if (value->type == 0) {
		struct buf whole = { 0 };
		envelope_json(call, d, &whole);
		out->text = arena_copy(&call->arena, buf_str(&whole));
		buf_free(&whole);
		if (out->text.p)
			out->text = compact(call, out->text);
	} else if (value->json && (value->type == PATCHBAY_JSON_OBJECT || value->type == PATCHBAY_JSON_ARRAY)) {
		out->text = compact(call, json_raw(value->json));
	} else if (value->type == PATCHBAY_JSON_STRING && value->json) {
		out->text = json_raw(value->json).n > 2 ? json_text(call, value->json) : STR("");
	} else if (value->json) {
		out->text = json_raw(value->json);
	}
	if (out->type == PATCHBAY_JSON_NULL)
		out->text = STR("");
	if (!out->text.p) {
		call_explain(call, "the value is larger than this call's memory");
		return false;
	}
	return true;
}

/* 1: a value, 0: none (`?`), -1: failed, explained. */
static int walk(patchbay_call *call, const patchbay_delivery *d, const struct alternative *alt, struct value *ret)
{
	*ret = (struct value){ .type = alt->literal, .text = alt->text };
	for (size_t i = 0; i < alt->n_steps; i++) {
		if (step_into(call, d, &alt->steps[i], ret))
			continue;
		if (alt->steps[i].optional)
			return 0;
		cannot(call, &alt->steps[i], ret->type);
		return -1;
	}
	return 1;
}

bool select_eval(patchbay_call *call, const struct select *select, const patchbay_delivery *d, patchbay_value *out)
{
	patchbay_str why = call->why; /* an alternative that fails is one that is missing: nothing to tell */
	struct value value = { 0 };
	int found = 0;
	for (size_t i = 0; i < select->n; i++) {
		found = walk(call, d, &select->v[i], &value);
		bool last = i + 1 == select->n;
		if (last && found < 0)
			return false;
		call->why = why;
		if (found > 0 && value.type != PATCHBAY_JSON_NULL && value.type != PATCHBAY_JSON_FALSE)
			break;
	}
	if (found > 0)
		return show(call, d, &value, out);
	out->type = 0;
	out->text = STR("");
	return true;
}
