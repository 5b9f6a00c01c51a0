/* text.c - text that comes from outside, made safe for Slack's markup and for JSON, and cut to length. */
#include "slack.h"

#define VALUE_MAX ((size_t)16 << 10) /* bytes of one value that are looked at: far more than a message takes */
#define ELLIPSIS "\xe2\x80\xa6"
#define NOT_UTF8 "\xef\xbf\xbd"
#define ENTITY_MAX 5 /* &amp; */

static patchbay_str beginning(patchbay_str s, size_t max)
{
	if (s.n > max)
		s.n = max;
	return s;
}

patchbay_str slack_escape(void *ctx, patchbay_call *call, patchbay_str value)
{
	const struct slack *s = ctx;
	patchbay_str in = beginning(value, VALUE_MAX);
	char *out = s->host->alloc(call, in.n * ENTITY_MAX + 1);
	size_t n = 0;

	if (!out)
		return PATCHBAY_S("");
	for (size_t i = 0; i < in.n; i++) {
		const char *entity = in.p[i] == '&'   ? "&amp;"
				     : in.p[i] == '<' ? "&lt;"
				     : in.p[i] == '>' ? "&gt;"
						      : NULL;
		size_t length = entity ? strlen(entity) : 1;
		memcpy(out + n, entity ? entity : in.p + i, length);
		n += length;
	}
	return (patchbay_str){ out, n };
}

/* The length of the UTF-8 sequence at p, 0 if there is none (RFC 3629). */
static size_t sequence(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;

	if (p[0] >= 0x80 && (p[0] < 0xc2 || p[0] > 0xf4))
		return 0;
	if (length > n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
		if (p[i] < low || p[i] > high)
			return 0;
	return length;
}

/* Into out, which has room for 6 bytes for each of the text's. A NUL, which ends the text for many, is no better than
 * what is not UTF-8. */
static size_t json_escape(char *out, patchbay_str text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t n = 0, length;

	for (size_t i = 0; i < text.n; i += length ? length : 1) {
		length = sequence(p + i, text.n - i);
		if (length == 0 || p[i] == 0) {
			memcpy(out + n, NOT_UTF8, 3);
			n += 3;
		} else if (p[i] == '"' || p[i] == '\\') {
			out[n++] = '\\';
			out[n++] = text.p[i];
		} else if (p[i] < 0x20) {
			n += (size_t)sprintf(out + n, "\\u%04x", p[i]);
		} else {
			memcpy(out + n, text.p + i, length);
			n += length;
		}
	}
	return n;
}

patchbay_str slack_escape_json(void *ctx, patchbay_call *call, patchbay_str value)
{
	const struct slack *s = ctx;
	patchbay_str escaped = slack_escape(ctx, call, value);
	char *out = s->host->alloc(call, escaped.n * 6 + 1);

	if (!out)
		return PATCHBAY_S("");
	return (patchbay_str){ out, json_escape(out, escaped) };
}

patchbay_str slack_quote(const struct slack *s, patchbay_call *call, patchbay_str text)
{
	char *out = s->host->alloc(call, text.n * 6 + 3);

	if (!out)
		return PATCHBAY_S("");
	size_t n = 1 + json_escape(out + 1, text);
	out[0] = out[n] = '"';
	return (patchbay_str){ out, n + 1 };
}

patchbay_str slack_cut(const struct slack *s, patchbay_call *call, patchbay_str text, size_t max)
{
	if (text.n <= max)
		return text;
	size_t n = max - strlen(ELLIPSIS);
	while (n > 0 && (text.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t back = 1; back < ENTITY_MAX && back <= n && text.p[n - back] != ';'; back++)
		if (text.p[n - back] == '&') {
			n -= back;
			break;
		}
	return patchbay_join(s->host, call, (patchbay_str[]){ { text.p, n }, PATCHBAY_S(ELLIPSIS) }, 2);
}
