/* row.c - quoting, and the guard against formulas: a string that begins like one is run by spreadsheets.
 * What is a plain number, or no string, is left as it is: guards that spoil negative numbers get turned off. */
#include "row.h"

#include <stdlib.h>
#include <string.h>

void rows_free(struct rows *rows)
{
	free(rows->p);
	rows->p = NULL;
	rows->n = rows->room = 0;
}

static char *grow(struct rows *rows, size_t n)
{
	size_t need, room;
	if (rows->failed)
		return NULL;
	if (__builtin_add_overflow(rows->n, n, &need) || __builtin_mul_overflow(need, 2u, &room))
		goto failed;
	if (need > rows->room) {
		char *p = realloc(rows->p, room);
		if (!p)
			goto failed;
		rows->p = p;
		rows->room = room;
	}
	return rows->p + rows->n;
failed:
	rows->failed = true;
	return NULL;
}

void rows_add_raw(struct rows *rows, const void *p, size_t n)
{
	char *at = n ? grow(rows, n) : NULL;
	if (!at)
		return;
	memcpy(at, p, n);
	rows->n += n;
}

/* ^[+-]?digits(.digits)?([eE][+-]?digits)?$ */
static bool is_plain_number(patchbay_str s)
{
	size_t i = 0, start;
	if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
		i++;
	for (start = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
		i++;
	if (i == start)
		return false;
	if (i < s.n && s.p[i] == '.') {
		for (start = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == start)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
			i++;
		for (start = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == start)
			return false;
	}
	return i == s.n;
}

static bool begins(patchbay_str s, const char *utf8)
{
	return s.n >= 3 && memcmp(s.p, utf8, 3) == 0;
}

static bool looks_like_formula(patchbay_str s)
{
	if (s.n == 0 || is_plain_number(s))
		return false;
	return memchr("=+-@\t\r\n", s.p[0], sizeof("=+-@\t\r\n")) != NULL || /* with the NUL */
	       begins(s, "\xef\xbc\x9d") || begins(s, "\xef\xbc\x8b") || begins(s, "\xef\xbc\x8d") ||
	       begins(s, "\xef\xbc\xa0");
}

static bool must_quote(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '"' || s.p[i] == ',' || (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return s.p[0] == ' ' || s.p[s.n - 1] == ' ';
}

/* What stands between the quotes. A NUL ends the text for many readers: it becomes U+FFFD. */
static void add_quoted(struct rows *rows, patchbay_str s)
{
	size_t plain = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *as = s.p[i] == '"' ? "\"\"" : s.p[i] == 0 ? "\xef\xbf\xbd" : NULL;
		if (s.p[i] == '\r' && rows->profile == PROFILE_EXCEL)
			as = i + 1 < s.n && s.p[i + 1] == '\n' ? "" : "\n";
		if (!as)
			continue;
		rows_add_raw(rows, s.p + plain, i - plain);
		rows_add_raw(rows, as, strlen(as));
		plain = i + 1;
	}
	rows_add_raw(rows, s.p + plain, s.n - plain);
}

static void add_cell(struct rows *rows, patchbay_str s, bool quoted, const char *prefix)
{
	if (rows->cells_in_row++)
		rows_add_raw(rows, ",", 1);
	if (!quoted) {
		rows_add_raw(rows, s.p, s.n);
		return;
	}
	rows_add_raw(rows, "\"", 1);
	rows_add_raw(rows, prefix, strlen(prefix));
	add_quoted(rows, s);
	rows_add_raw(rows, "\"", 1);
}

void rows_add_cell(struct rows *rows, int32_t type, patchbay_str s)
{
	bool string = type == PATCHBAY_JSON_STRING;
	bool guarded = string && rows->guard != GUARD_OFF && looks_like_formula(s);
	const char *prefix = !guarded ? "" : rows->guard == GUARD_TAB ? "\t" : "'";
	/* "" is an empty string, nothing at all is null. */
	add_cell(rows, s, guarded || (s.n ? must_quote(s) : string), prefix);
}

void rows_add_label(struct rows *rows, patchbay_str s)
{
	add_cell(rows, s, s.n == 0 || must_quote(s), "");
}

void rows_end_row(struct rows *rows)
{
	/* A line with nothing on it is passed over by many readers. */
	if (rows->cells_in_row == 1 && rows->n == rows->row_start)
		rows_add_raw(rows, "\"\"", 2);
	rows_add_raw(rows, "\r\n", 2);
	rows->cells_in_row = 0;
	rows->row_start = rows->n;
}
