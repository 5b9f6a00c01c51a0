/* patchbay/quote.h - text as JSON writes it. Conveniences for what a plugin sends or previews, all static inline: no
 * part of the ABI. Reading JSON is the host's: PATCHBAY_JSON in <patchbay/services.h>. */
#ifndef PATCHBAY_QUOTE_H
#define PATCHBAY_QUOTE_H

#include <patchbay/sugar.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_NOT_UTF8 "\xef\xbf\xbd" /* U+FFFD, in place of each byte that belongs to no character */

/* The length of the character that the n bytes begin with, 0 if they begin with none (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static inline size_t patchbay_utf8_length(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t length = n == 0 ? 0 : p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4 : 0;
	if (length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (length > 2 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
			   (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
		return 0;
	return length;
}

/* The text as it stands between the quotes of a JSON string. `out` has room for 6 bytes for each of the text's; returns
 * how many there are. */
static inline size_t patchbay_json_escape(char *out, patchbay_str text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0, length;
	for (size_t i = 0; i < text.n; i += length ? length : 1) {
		unsigned char c = (unsigned char)text.p[i];
		length = patchbay_utf8_length(text.p + i, text.n - i);
		if (length == 0) {
			memcpy(out + n, PATCHBAY_NOT_UTF8, 3);
			n += 3;
		} else if (c < 0x20) {
			memcpy(out + n, "\\u00", 4);
			out[n + 4] = hex[c >> 4];
			out[n + 5] = hex[c & 15];
			n += 6;
		} else {
			if (c == '"' || c == '\\')
				out[n++] = '\\';
			memcpy(out + n, text.p + i, length);
			n += length;
		}
	}
	return n;
}

/* A JSON string, quotes and all, in memory of the call; "" when there is none left. */
static inline patchbay_str patchbay_json_quote(const patchbay_host *host, patchbay_call *call, patchbay_str text)
{
	patchbay_str out = { "", 0 };
	char *p = (char *)host->alloc(call, 6 * text.n + 2);
	if (!p)
		return out;
	out.n = patchbay_json_escape(p + 1, text) + 2;
	p[0] = p[out.n - 1] = '"';
	out.p = p;
	return out;
}

#ifdef __cplusplus
}
#endif
#endif
