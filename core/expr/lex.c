/* lex.c - a small scanner for jq programs. It judges no syntax: libjq does. */
#include "expr/lex.h"

#include "base/utf8.h"

#include <string.h>

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void lex_init(struct lex *lex, patchbay_str text)
{
	*lex = (struct lex){ .text = text };
}

static bool push(struct lex *lex, char open)
{
	if (lex->depth == LEX_DEPTH_MAX)
		return false;
	lex->open[lex->depth++] = open;
	return true;
}

/* From inside a string to behind its end, or into its next interpolation. */
static bool pass_string(struct lex *lex)
{
	while (lex->at < lex->text.n) {
		char c = lex->text.p[lex->at++];
		if (c == '"')
			return true;
		if (c != '\\')
			continue;
		if (lex->at == lex->text.n)
			return false;
		if (lex->text.p[lex->at++] == '(')
			return push(lex, '"');
	}
	return false;
}

static void pass_blank(struct lex *lex)
{
	bool comment = false;
	for (; lex->at < lex->text.n; lex->at++) {
		char c = lex->text.p[lex->at];
		if (comment ? c == '\n' : c == '#')
			comment = !comment;
		else if (!comment && !is_space(c))
			return;
	}
}

static bool word_goes_on(const struct lex *lex)
{
	const char *p = lex->text.p + lex->at;
	size_t left = lex->text.n - lex->at;
	return is_word(*p) || (left > 2 && p[0] == ':' && p[1] == ':' && is_word(p[2]));
}

static enum lex_kind close_bracket(struct lex *lex, char c)
{
	char open = c == ')' ? '(' : c == ']' ? '[' : '{';
	char top = lex->depth ? lex->open[lex->depth - 1] : 0;
	if (c == ')' && top == '"') {
		lex->depth--;
		return pass_string(lex) ? LEX_OTHER : LEX_BROKEN;
	}
	if (top != open)
		return LEX_EXCESS;
	lex->depth--;
	return LEX_OTHER;
}

enum lex_kind lex_next(struct lex *lex)
{
	pass_blank(lex);
	size_t start = lex->at;
	if (start == lex->text.n) {
		lex->token = (patchbay_str){ lex->text.p + start, 0 };
		return LEX_END;
	}
	char c = lex->text.p[lex->at++];
	lex->token = (patchbay_str){ lex->text.p + start, 1 };
	if (is_word(c) || c == '.' || c == '$' || c == '@') {
		while (lex->at < lex->text.n && word_goes_on(lex))
			lex->at += lex->text.p[lex->at] == ':' ? 2 : 1;
		lex->token.n = lex->at - start;
		return is_word(c) || lex->token.n > 1 ? LEX_WORD : LEX_OTHER;
	}
	switch (c) {
	case '"':
		return pass_string(lex) ? LEX_OTHER : LEX_BROKEN;
	case '(':
	case '[':
	case '{':
		return push(lex, c) ? LEX_OTHER : LEX_BROKEN;
	case ')':
	case ']':
	case '}':
		return close_bracket(lex, c);
	default:
		return LEX_OTHER;
	}
}

static int hex4(patchbay_str s, size_t at, uint32_t *ret)
{
	uint32_t v = 0;
	if (s.n - at < 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		char c = s.p[i];
		uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
				 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							: 16;
		if (digit == 16)
			return -1;
		v = v << 4 | digit;
	}
	*ret = v;
	return 0;
}

static void add_code_point(struct buf *out, uint32_t c)
{
	char b[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		b[i] = (char)(0x80 | (c & 0x3F));
	b[0] = (char)(lead[n] | c);
	buf_add(out, b, n);
}

/* \uXXXX at s.p[at], the backslash; a pair of surrogates is one character, half a pair none. */
static int unescape_u(patchbay_str s, size_t *at, struct buf *out)
{
	uint32_t c, low;
	if (hex4(s, *at + 2, &c) != 0)
		return -1;
	*at += 6;
	if (c >= 0xD800 && c <= 0xDFFF) {
		if (c >= 0xDC00 || s.n - *at < 6 || s.p[*at] != '\\' || s.p[*at + 1] != 'u' ||
		    hex4(s, *at + 2, &low) != 0 || low < 0xDC00 || low > 0xDFFF)
			return -1;
		*at += 6;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	}
	add_code_point(out, c);
	return 0;
}

int lex_unescape(patchbay_str s, struct buf *out, struct err *err)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	size_t at = 0;
	while (at < s.n) {
		const char *escape = memchr(s.p + at, '\\', s.n - at);
		size_t plain = escape ? (size_t)(escape - s.p) - at : s.n - at;
		buf_add(out, s.p + at, plain);
		at += plain;
		if (at == s.n)
			break;
		char c = at + 1 < s.n ? s.p[at + 1] : 0;
		const char *known = c ? strchr(from, c) : NULL;
		if (known) {
			buf_add(out, &to[known - from], 1);
			at += 2;
		} else if (c != 'u') {
			return err_set(err, "'\\%.*s' is no escape; write '\\\\' for a backslash itself", c ? 1 : 0,
				       s.p + at + 1);
		} else if (unescape_u(s, &at, out) != 0) {
			return err_set(err, "'\\u' must be followed by four hexadecimal digits, and half of a "
					    "surrogate pair by the other");
		}
	}
	return 0;
}

bool lex_is_utf8(patchbay_str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = utf8_sequence((const unsigned char *)s.p + i, s.n - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
