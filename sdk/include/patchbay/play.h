/* patchbay/play.h - conveniences for a source that plays its provider (<patchbay/simulate.h>): makes
 * another event out of a sample by changing single values where they stand in the text, and adds
 * headers. All static inline: no part of the ABI.
 *
 *     patchbay_edits e = { .host = h, .json = json, .time = time, .call = call };
 *     if (patchbay_edits_begin(&e, text)) {
 *             patchbay_edit_id(&e, "id", serial);
 *             patchbay_edit_time(&e, "created_at", serial);
 *     }
 *     return patchbay_edits_apply(&e, out);
 */
#ifndef PATCHBAY_PLAY_H
#define PATCHBAY_PLAY_H

#include <patchbay/services.h>
#include <patchbay/sugar.h>

#include <inttypes.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_EDITS_MAX 32

typedef struct patchbay_edits {
	const patchbay_host *host;
	const patchbay_json_service *json;
	const patchbay_time_service *time; /* for patchbay_edit_time */
	patchbay_call *call;
	const patchbay_json *root;
	patchbay_str text;
	patchbay_status status;
	size_t n;
	struct {
		patchbay_str old, now;
	} v[PATCHBAY_EDITS_MAX]; /* in the order of the text */
} patchbay_edits;

/* False: the text is not JSON; patchbay_edits_apply() then says so. Space around the JSON is dropped. */
static inline bool patchbay_edits_begin(patchbay_edits *e, patchbay_str text)
{
	e->n = 0;
	e->root = e->json->parse(e->call, text);
	e->text = e->json->raw(e->root);
	e->status = e->root ? PATCHBAY_OK : PATCHBAY_EMALFORMED;
	return e->root != NULL;
}

/* Puts `now` in the place of `old`, a part of the text. Edits may come in any order, but not overlap. */
static inline void patchbay_edit(patchbay_edits *e, patchbay_str old, patchbay_str now)
{
	size_t i = e->n;
	if (e->n == PATCHBAY_EDITS_MAX || now.n == 0) {
		e->status = PATCHBAY_ENOMEM;
		return;
	}
	for (; i > 0 && e->v[i - 1].old.p > old.p; i--)
		e->v[i] = e->v[i - 1];
	e->v[i].old = old;
	e->v[i].now = now;
	e->n++;
}

/* Gives a member of the top-level object this value (JSON), or adds the member in front. */
static inline void patchbay_edit_member(patchbay_edits *e, const char *name, patchbay_str json)
{
	const patchbay_json *member = e->json->get(e->call, e->root, patchbay_cstr(name));
	patchbay_str front = { e->text.p + 1, 0 };
	if (member)
		patchbay_edit(e, e->json->raw(member), json);
	else if (e->json->count(e->root) == 0)
		e->status = PATCHBAY_EMALFORMED;
	else
		patchbay_edit(e, front, patchbay_fmt(e->host, e->call, "\"%s\": %.*s, ", name, (int)json.n, json.p));
}

/* Another id for each serial, of the same shape: numbers and strings of digits count on, of a UUID 64 bits are
 * replaced, to other strings the serial is added. The result is always below 2^53. False: no such member. */
static inline bool patchbay_edit_id(patchbay_edits *e, const char *path, uint64_t serial)
{
	const patchbay_json *value = e->json->find(e->call, e->root, path, false);
	patchbay_str raw = e->json->raw(value), s = raw, now;
	const char *quote = "";
	size_t digits = 0;
	int32_t type = e->json->type(value);

	if (type != PATCHBAY_JSON_NUMBER && type != PATCHBAY_JSON_STRING)
		return false;
	if (type == PATCHBAY_JSON_STRING) {
		quote = "\"";
		s.p++;
		s.n -= 2;
	}
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (s.n == 36 && s.p[8] == '-' && s.p[23] == '-') {
		now = patchbay_fmt(e->host, e->call, "\"%08" PRIx32 "%.*s%08" PRIx32 "\"", (uint32_t)(serial >> 32), 20,
				   s.p + 8, (uint32_t)serial);
	} else if (s.n > 0 && digits == s.n) {
		uint64_t id = strtoull(s.p, NULL, 10) % UINT64_C(1000000000000000);
		id += serial % UINT64_C(8000000000000000);
		now = patchbay_fmt(e->host, e->call, "%s%" PRIu64 "%s", quote, id, quote);
	} else {
		now = patchbay_fmt(e->host, e->call, "\"%.*s-%" PRIx64 "\"", (int)s.n, s.p, serial);
	}
	patchbay_edit(e, raw, now);
	return true;
}

/* Moves a time by as many seconds as the serial says, within a year; members that are no times stay. */
static inline void patchbay_edit_time(patchbay_edits *e, const char *path, uint64_t serial)
{
	const patchbay_json *value = e->json->find(e->call, e->root, path, false);
	int64_t ns;
	if (e->json->type(value) != PATCHBAY_JSON_STRING || !e->time->parse(e->json->text(e->call, value), &ns))
		return;
	ns += (int64_t)(serial % (365 * 86400)) * INT64_C(1000000000);
	patchbay_str now = e->time->format(e->call, ns);
	if (now.n > 0)
		now = patchbay_fmt(e->host, e->call, "\"%.*s\"", (int)now.n, now.p);
	patchbay_edit(e, e->json->raw(value), now);
}

/* The text with all edits made, in memory of the call. */
static inline patchbay_status patchbay_edits_apply(const patchbay_edits *e, patchbay_str *out)
{
	patchbay_str parts[2 * PATCHBAY_EDITS_MAX + 1];
	const char *at = e->text.p;
	size_t n = 0;

	if (e->status != PATCHBAY_OK)
		return e->status;
	for (size_t i = 0; i < e->n; i++) {
		parts[n].p = at;
		parts[n++].n = (size_t)(e->v[i].old.p - at);
		parts[n++] = e->v[i].now;
		at = e->v[i].old.p + e->v[i].old.n;
	}
	parts[n].p = at;
	parts[n++].n = e->text.n - (size_t)(at - e->text.p);
	*out = patchbay_join(e->host, e->call, parts, n);
	return out->n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

/* Sets a header (its name in lower case) of a request in the making, in place of all of that name. */
static inline patchbay_status patchbay_set_header(const patchbay_host *host, patchbay_call *call, patchbay_request *r,
						  patchbay_str name, patchbay_str value)
{
	patchbay_kv *headers = (patchbay_kv *)host->alloc(call, (r->n_headers + (size_t)1) * sizeof(*headers));
	uint32_t n = 0;
	if (!headers || !value.n)
		return PATCHBAY_ENOMEM;
	for (uint32_t i = 0; i < r->n_headers; i++)
		if (!patchbay_eq(r->headers[i].key, name))
			headers[n++] = r->headers[i];
	headers[n].key = name;
	headers[n++].value = value;
	r->headers = headers;
	r->n_headers = n;
	return PATCHBAY_OK;
}

/* Of a signature in hex another one, as well-formed, and wrong; "" when the call has no memory left. */
static inline patchbay_str patchbay_wrong_hex(const patchbay_host *host, patchbay_call *call, patchbay_str hex)
{
	char *p = hex.n ? (char *)host->alloc(call, hex.n) : NULL;
	patchbay_str out = { "", 0 };
	if (!p)
		return out;
	memcpy(p, hex.p, hex.n);
	p[0] = p[0] == '0' ? '1' : '0';
	out.p = p;
	out.n = hex.n;
	return out;
}

#ifdef __cplusplus
}
#endif
#endif
