/* text.c - text that comes from outside, made safe for Slack's markup and for JSON, and cut to length. */
#include "slack.h"

#include <patchbay/quote.h>

#define VALUE_MAX ((size_t)16 << 10) /* bytes of one value that are looked at: far more than a message takes */
#define ELLIPSIS "\xe2\x80\xa6"
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
		/* A NUL, which ends the text for many, is no better than what is not UTF-8. */
		const char *entity = in.p[i] == '&'    ? "&amp;"
				     : in.p[i] == '<'  ? "&lt;"
				     : in.p[i] == '>'  ? "&gt;"
				     : in.p[i] == '\0' ? PATCHBAY_NOT_UTF8
						       : NULL;
		size_t length = entity ? strlen(entity) : 1;
		memcpy(out + n, entity ? entity : in.p + i, length);
		n += length;
	}
	return (patchbay_str){ out, n };
}

patchbay_str slack_escape_json(void *ctx, patchbay_call *call, patchbay_str value)
{
	const struct slack *s = ctx;
	patchbay_str escaped = slack_escape(ctx, call, value);
	char *out = s->host->alloc(call, escaped.n * 6 + 1);

	if (!out)
		return PATCHBAY_S("");
	return (patchbay_str){ out, patchbay_json_escape(out, escaped) };
}

patchbay_str slack_quote(const struct slack *s, patchbay_call *call, patchbay_str text)
{
	return patchbay_json_quote(s->host, call, text);
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
