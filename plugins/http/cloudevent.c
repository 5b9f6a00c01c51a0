/* cloudevent.c - an event as a CloudEvent 1.0: its attributes, and the two ways in which HTTP carries them. */
#include "http.h"

#include <patchbay/quote.h>

#define CONTENT_TYPE "datacontenttype"

/* Nearly always; a provider's test call may be anything. */
static bool is_json(const struct http *h, patchbay_call *call, const patchbay_delivery *e)
{
	return h->json->parse(call, e->data) != NULL;
}

static size_t attributes(const struct http *h, patchbay_call *call, const patchbay_delivery *e,
			 patchbay_kv ret[ATTRIBUTES_MAX])
{
	static const char *const surely_new[] = {
		[PATCHBAY_STRONG] = "strong", [PATCHBAY_WEAK] = "weak", [PATCHBAY_NONE] = "none"
	};
	patchbay_str source = patchbay_fmt(h->host, call, "patchbay:/%.*s", (int)e->source.n, e->source.p);
	const patchbay_kv all[ATTRIBUTES_MAX] = {
		{ PATCHBAY_S("specversion"), PATCHBAY_S("1.0") },
		{ PATCHBAY_S("id"), e->id },
		{ PATCHBAY_S("source"), source },
		{ PATCHBAY_S("type"), e->type },
		{ PATCHBAY_S("subject"), e->subject },
		{ PATCHBAY_S("time"), h->time->format(call, e->time_ns) },
		{ PATCHBAY_S("kind"), e->kind },
		{ PATCHBAY_S("dedupe"), patchbay_cstr(e->dedupe <= PATCHBAY_NONE ? surely_new[e->dedupe] : "") },
		{ PATCHBAY_S("test"), patchbay_cstr(e->test ? "true" : "") },
		{ PATCHBAY_S(CONTENT_TYPE),
		  is_json(h, call, e) ? PATCHBAY_S("application/json") : PATCHBAY_S("text/plain") },
	};
	size_t n = 0;

	for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
		if (all[i].value.n > 0) /* an attribute must not be empty */
			ret[n++] = all[i];
	return n;
}

patchbay_str cloudevent_json(const struct http *h, patchbay_call *call, const patchbay_delivery *e)
{
	patchbay_kv attribute[ATTRIBUTES_MAX];
	patchbay_str parts[4 * ATTRIBUTES_MAX + 3];
	size_t n = 0, n_attributes = attributes(h, call, e, attribute);

	for (size_t i = 0; i < n_attributes; i++) {
		parts[n++] = i ? PATCHBAY_S(",\"") : PATCHBAY_S("{\"");
		parts[n++] = attribute[i].key;
		parts[n++] = PATCHBAY_S("\":");
		parts[n] = patchbay_json_quote(h->host, call, attribute[i].value);
		if (parts[n++].n == 0)
			return PATCHBAY_S("");
	}
	parts[n++] = PATCHBAY_S(",\"data\":");
	parts[n++] = is_json(h, call, e) ? e->data : patchbay_json_quote(h->host, call, e->data);
	parts[n++] = PATCHBAY_S("}");
	return patchbay_join(h->host, call, parts, n);
}

/* As the HTTP binding has it: space, double quote, percent, and all that is not printable ASCII. */
static patchbay_str percent_encode(const struct http *h, patchbay_call *call, patchbay_str text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = h->host->alloc(call, 9 * text.n);
	size_t n = 0, length;

	for (size_t i = 0; out && i < text.n; i += length) {
		length = patchbay_utf8_length(text.p + i, text.n - i);
		patchbay_str c = length ? (patchbay_str){ text.p + i, length } : PATCHBAY_S(PATCHBAY_NOT_UTF8);
		length = length ? length : 1;
		bool plain = c.n == 1 && c.p[0] > ' ' && c.p[0] <= '~' && c.p[0] != '"' && c.p[0] != '%';
		for (size_t k = 0; k < c.n && !plain; k++) {
			out[n++] = '%';
			out[n++] = hex[(unsigned char)c.p[k] >> 4];
			out[n++] = hex[(unsigned char)c.p[k] & 15];
		}
		if (plain)
			out[n++] = c.p[0];
	}
	return out ? (patchbay_str){ out, n } : PATCHBAY_S("");
}

size_t cloudevent_headers(const struct http *h, patchbay_call *call, const patchbay_delivery *e,
			  patchbay_kv ret[ATTRIBUTES_MAX])
{
	size_t n = attributes(h, call, e, ret);

	for (size_t i = 0; i < n; i++) {
		bool is_type = patchbay_eq(ret[i].key, PATCHBAY_S(CONTENT_TYPE));
		patchbay_str name = ret[i].key;
		ret[i].key = is_type ? PATCHBAY_S("content-type")
				     : patchbay_fmt(h->host, call, "ce-%.*s", (int)name.n, name.p);
		ret[i].value = is_type ? ret[i].value : percent_encode(h, call, ret[i].value);
		if (ret[i].key.n == 0 || ret[i].value.n == 0)
			return 0;
	}
	return n;
}
