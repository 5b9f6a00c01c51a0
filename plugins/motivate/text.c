/* text.c - see text.h. Old copies stay in the call's memory until it ends, so growing doubles. */
#include "text.h"

#include <patchbay/sugar.h>

#include <stdint.h>

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

/* The length of the character at the front of s, 0 where there is none: overlong forms, surrogates and what is above
 * U+10FFFF are none. */
static size_t utf8_length(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

void text_add_string(struct text *t, patchbay_str s)
{
	static const char hex[] = "0123456789abcdef";

	text_reserve(t, 2);
	text_add_c(t, "\"");
	for (size_t i = 0; i < s.n && !t->failed;) {
		size_t n = utf8_length(s.p + i, s.n - i);
		unsigned char c = (unsigned char)s.p[i];
		if (n == 0) {
			text_add_c(t, "\xef\xbf\xbd");
		} else if (c == '"' || c == '\\') {
			const char escape[] = { '\\', (char)c };
			text_add(t, (patchbay_str){ escape, 2 });
		} else if (c < 0x20) {
			const char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
			text_add(t, (patchbay_str){ escape, 6 });
		} else {
			text_add(t, (patchbay_str){ s.p + i, n });
		}
		i += n ? n : 1;
	}
	text_add_c(t, "\"");
}

patchbay_str text_str(const struct text *t)
{
	return t->failed || t->n == 0 ? (patchbay_str){ "", 0 } : (patchbay_str){ t->p, t->n };
}

void text_wipe(patchbay_str s)
{
	if (s.n > 0)
		explicit_bzero((void *)(uintptr_t)s.p, s.n);
}

patchbay_str text_line(const patchbay_host *host, patchbay_call *call, patchbay_str s, size_t max)
{
	bool cut = s.n > max;
	char *p = host->alloc(call, (cut ? max : s.n) + 3);
	size_t n = 0;

	if (!p)
		return (patchbay_str){ "", 0 };
	for (size_t i = 0; i < s.n;) {
		size_t length = utf8_length(s.p + i, s.n - i);
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
