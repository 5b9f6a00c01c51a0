/* str.c - text with its length, and buffers that grow. */
#include "base/str.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

patchbay_str str_c(const char *s)
{
	return (patchbay_str){ s, s ? strlen(s) : 0 };
}

bool str_eq(patchbay_str a, patchbay_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(patchbay_str a, const char *b)
{
	return str_eq(a, str_c(b));
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(patchbay_str a, patchbay_str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool str_starts(patchbay_str s, patchbay_str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* Going back to the latest star only keeps this quadratic at worst. */
bool str_glob(patchbay_str pattern, patchbay_str s)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0;

	while (i < s.n) {
		if (k < pattern.n && pattern.p[k] == '*') {
			star = k++;
			from = i;
		} else if (k < pattern.n && (pattern.p[k] == '?' || pattern.p[k] == s.p[i])) {
			k++;
			i++;
		} else if (star != SIZE_MAX) {
			k = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (k < pattern.n && pattern.p[k] == '*')
		k++;
	return k == pattern.n;
}

#define NEAREST_MAX 64 /* longer names are not compared */

/* Edits (insert, delete, replace, swap neighbours) from a to b, without regard to case. */
static size_t distance(patchbay_str a, patchbay_str b)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t k = 0; k <= b.n; k++)
		above[k] = before[k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		row[0] = i;
		for (size_t k = 1; k <= b.n; k++) {
			size_t d = above[k - 1] + (lower(a.p[i - 1]) != lower(b.p[k - 1]));
			if (above[k] + 1 < d)
				d = above[k] + 1;
			if (row[k - 1] + 1 < d)
				d = row[k - 1] + 1;
			if (i > 1 && k > 1 && lower(a.p[i - 1]) == lower(b.p[k - 2]) &&
			    lower(a.p[i - 2]) == lower(b.p[k - 1]) && before[k - 2] + 1 < d)
				d = before[k - 2] + 1;
			row[k] = d;
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b.n];
}

const char *str_nearest(patchbay_str s, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	if (s.n == 0 || s.n > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		patchbay_str candidate = str_c(candidates[i]);
		if (candidate.n == 0 || candidate.n > NEAREST_MAX)
			continue;
		size_t longer = s.n > candidate.n ? s.n : candidate.n, d = distance(s, candidate);
		/* A third of the letters wrong is a slip; more is another word. */
		if (d < longer && d <= (longer + 2) / 3 && d < best_distance) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

char *buf_grow(struct buf *b, size_t n)
{
	size_t need;

	if (__builtin_add_overflow(b->n, n, &need))
		need = SIZE_MAX; /* which xrealloc refuses */
	if (need > b->room || !b->p) {
		size_t room = b->room < 64 ? 64 : b->room;
		while (room < need)
			room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
		b->p = xrealloc(b->p, room);
		b->room = room;
	}
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	memcpy(buf_grow(b, n), p, n);
	b->n += n;
}

void buf_add_str(struct buf *b, patchbay_str s)
{
	buf_add(b, s.p, s.n);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	buf_grow(b, 1);
	va_start(ap, fmt);
	int n = vsnprintf(b->p + b->n, b->room - b->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= b->room - b->n) {
		buf_grow(b, (size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

void buf_add_json_string(struct buf *b, patchbay_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	static const char escaped[] = "btn\0fr"; /* 8..13 */

	buf_add(b, "\"", 1);
	for (size_t i = 0; i < s.n;) {
		size_t run = i;
		while (run < s.n && p[run] >= 0x20 && p[run] < 0x7f && p[run] != '"' && p[run] != '\\')
			run++;
		buf_add(b, s.p + i, run - i);
		i = run;
		if (i == s.n)
			break;
		size_t length = utf8_sequence(p + i, s.n - i);
		if (length == 0) {
			buf_add(b, "\xef\xbf\xbd", 3);
			length = 1;
		} else if (length > 1) {
			buf_add(b, s.p + i, length);
		} else if (p[i] == '"' || p[i] == '\\') {
			buf_add(b, (char[]){ '\\', s.p[i] }, 2);
		} else if (p[i] >= 8 && p[i] <= 13 && escaped[p[i] - 8]) {
			buf_add(b, (char[]){ '\\', escaped[p[i] - 8] }, 2);
		} else {
			buf_addf(b, "\\u%04x", p[i]);
		}
		i += length;
	}
	buf_add(b, "\"", 1);
}

const char *buf_cstr(struct buf *b)
{
	*buf_grow(b, 1) = '\0';
	return b->p;
}

patchbay_str buf_str(const struct buf *b)
{
	return (patchbay_str){ b->p ? b->p : "", b->n };
}

const char *str_show_bytes(uint64_t bytes, char out[STR_BYTES_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;
	for (; value >= 1024 && i + 1 < sizeof units / sizeof *units; i++)
		value /= 1024;
	snprintf(out, STR_BYTES_SIZE, i ? "%.1f %s" : "%.0f %s", value, units[i]);
	return out;
}
