/* text.c - see text.h. Old copies stay in the call's memory until it ends, so growing doubles. */
#include "text.h"

#include <patchbay/quote.h>
#include <patchbay/sugar.h>

void text_reserve(struct text *t, size_t n)
{
	size_t room = t->room < 256 ? 256 : t->room, need;
	char *p;

	if (t->failed || (__builtin_add_overflow(t->n, n, &need) && (t->failed = true)) || need <= t->room)
		return;
	while (room < need)
		if (__builtin_mul_overflow(room, (size_t)2, &room))
			room = need;
	p = t->host->alloc(t->call, room);
	if (!p) {
		t->failed = true;
		return;
	}
	if (t->n > 0)
		memcpy(p, t->p, t->n);
	t->p = p;
	t->room = room;
}

void text_add(struct text *t, patchbay_str s)
{
	text_reserve(t, s.n);
	if (t->failed || s.n == 0)
		return;
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

void text_add_c(struct text *t, const char *s)
{
	text_add(t, patchbay_cstr(s));
}

void text_add_string(struct text *t, patchbay_str s)
{
	text_reserve(t, 6 * s.n + 2);
	text_add_c(t, "\"");
	if (!t->failed)
		t->n += patchbay_json_escape(t->p + t->n, s);
	text_add_c(t, "\"");
}

patchbay_str text_str(const struct text *t)
{
	return t->failed || t->n == 0 ? (patchbay_str){ "", 0 } : (patchbay_str){ t->p, t->n };
}

patchbay_str text_line(const patchbay_host *host, patchbay_call *call, patchbay_str s, size_t max)
{
	bool cut = s.n > max;
	char *p = host->alloc(call, (cut ? max : s.n) + 3);
	size_t n = 0;

	if (!p)
		return (patchbay_str){ "", 0 };
	for (size_t i = 0; i < s.n;) {
		size_t length = patchbay_utf8_length(s.p + i, s.n - i);
		if (i + (length ? length : 1) > max)
			break;
		if (length == 0 || (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			p[n++] = ' ';
			i++;
		} else {
			memcpy(p + n, s.p + i, length);
			n += length;
			i += length;
		}
	}
	if (cut) {
		memcpy(p + n, "...", 3);
		n += 3;
	}
	return (patchbay_str){ p, n };
}

const char *text_c(const patchbay_host *host, patchbay_call *call, patchbay_str s)
{
	char *p = s.n > 0 && memchr(s.p, 0, s.n) ? NULL : host->alloc(call, s.n + 1);

	if (p && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}
