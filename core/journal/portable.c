/* portable.c - see portable.h. */
#include "journal/portable.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"

#include <string.h>

static const char *const kinds[] = { [JOURNAL_EVENT] = "event",
				     [JOURNAL_DUPLICATE] = "duplicate",
				     [JOURNAL_MALFORMED] = "malformed",
				     [JOURNAL_REFUSED] = "refused",
				     [JOURNAL_ANSWER] = "answer" };
static const char *const dedupes[] = { [PATCHBAY_DEDUPE_KEY] = "key",
				       [PATCHBAY_DEDUPE_LATEST] = "latest",
				       [PATCHBAY_DEDUPE_UNANSWERED] = "unanswered",
				       [PATCHBAY_DEDUPE_NONE] = "none" };
static const char *const flags[] = { "test", "type_guess", "answer_failed", "held", "released", "late" };
#define COUNT(v) (sizeof(v) / sizeof(v)[0])

static const struct text {
	const char *name;
	size_t at; /* of a patchbay_str in struct journal_record */
} texts[] = {
	{ "source", offsetof(struct journal_record, source) },
	{ "plugin", offsetof(struct journal_record, plugin) },
	{ "type", offsetof(struct journal_record, type) },
	{ "kind", offsetof(struct journal_record, kind_name) },
	{ "subject", offsetof(struct journal_record, subject) },
	{ "key", offsetof(struct journal_record, key) },
	{ "token", offsetof(struct journal_record, token) },
	{ "client", offsetof(struct journal_record, client) },
	{ "note", offsetof(struct journal_record, note) },
	{ "request", offsetof(struct journal_record, request) },
	{ "data", offsetof(struct journal_record, data) },
};
#define SHORT_TEXTS 9u /* of which a record has at most 64 KiB each */

static bool is_none(const struct id *id)
{
	static const struct id none;
	return memcmp(id, &none, sizeof none) == 0;
}

/* ---- Writing */

static bool is_utf8(patchbay_str s)
{
	for (size_t i = 0, n; i < s.n; i += n)
		if (!(n = utf8_sequence((const unsigned char *)s.p + i, s.n - i)))
			return false;
	return true;
}

static void add_text(struct buf *b, const char *name, patchbay_str s)
{
	if (!s.n)
		return;
	buf_addf(b, ",\"%s\":", name);
	if (is_utf8(s)) {
		buf_add_json_string(b, s);
		return;
	}
	buf_addf(b, "{\"base64\":\"");
	base64_encode(s, buf_grow(b, BASE64_SIZE(s.n)));
	b->n += BASE64_SIZE(s.n);
	buf_addf(b, "\"}");
}

static void add_time(struct buf *b, const char *name, int64_t ns)
{
	char text[CLOCK_ISO_SIZE];
	clock_format_iso(ns, text);
	buf_addf(b, ",\"%s\":\"%s\"", name, text);
}

static void add_id(struct buf *b, const char *name, const struct id *id)
{
	char text[ID_TEXT_SIZE];
	if (is_none(id))
		return;
	id_format(id, text);
	buf_addf(b, ",\"%s\":\"%s\"", name, text);
}

void portable_encode_header(struct buf *b, const char *release, int64_t now_ns)
{
	buf_addf(b, "{\"format\":\"" PORTABLE_FORMAT "\",\"version\":%d,\"release\":\"%s\"", PORTABLE_VERSION, release);
	add_time(b, "exported", now_ns);
	buf_addf(b, "}");
}

void portable_encode(struct buf *b, const struct journal_record *r)
{
	const char *kind = r->kind < COUNT(kinds) ? kinds[r->kind] : NULL,
		   *dedupe = r->dedupe < COUNT(dedupes) ? dedupes[r->dedupe] : NULL;
	buf_addf(b, "{\"record\":\"%s\"", kind ? kind : "");
	add_id(b, "id", &r->id);
	add_id(b, "original", &r->original);
	add_time(b, "received", r->received_ns);
	if (r->time_ns)
		add_time(b, "time", r->time_ns);
	buf_addf(b, ",\"dedupe\":\"%s\"", dedupe ? dedupe : "none");
	for (size_t i = 0, n = 0; r->flags && i < COUNT(flags); i++)
		if (r->flags & 1u << i)
			buf_addf(b, "%s\"%s\"", n++ ? "," : ",\"flags\":[", flags[i]);
	if (r->flags & ((1u << COUNT(flags)) - 1))
		buf_addf(b, "]");
	for (size_t i = 0; i < COUNT(texts); i++)
		add_text(b, texts[i].name, *(const patchbay_str *)(const void *)((const char *)r + texts[i].at));
}

/* ---- Reading */

static bool from_base64(patchbay_call *call, patchbay_str text, patchbay_str *ret)
{
	char *bytes = arena_alloc(&call->arena, text.n / 4 * 3 + 1);
	*ret = (patchbay_str){ bytes, 0 };
	return bytes && base64_decode(text, bytes, &ret->n);
}

static const patchbay_json *get(patchbay_call *call, const patchbay_json *json, const char *name)
{
	return json_get(call, json, str_c(name));
}

static bool is_string(const patchbay_json *json)
{
	return json && json_type(json) == PATCHBAY_JSON_STRING;
}

static int take_text(patchbay_call *call, const patchbay_json *json, const struct text *text, bool is_short,
		     struct journal_record *r, struct err *err)
{
	const patchbay_json *v = get(call, json, text->name), *bytes;
	patchbay_str s = STR("");
	if (!v || json_type(v) == PATCHBAY_JSON_NULL)
		return 0;
	if (is_string(v))
		s = json_text(call, v);
	else if (json_type(v) != PATCHBAY_JSON_OBJECT || !is_string(bytes = get(call, v, "base64")) ||
		 !from_base64(call, json_text(call, bytes), &s))
		return err_set(err, "'%s' is a string, or {\"base64\": \"…\"}", text->name);
	if (call->why.n)
		return err_set(err, "'%s': %.*s", text->name, STR_ARG(call->why));
	if (is_short && s.n > UINT16_MAX)
		return err_set(err, "'%s' has more than 64 KiB", text->name);
	*(patchbay_str *)(void *)((char *)r + text->at) = s;
	return 0;
}

static int take_id(patchbay_call *call, const patchbay_json *json, const char *name, bool needed, struct id *ret,
		   struct err *err)
{
	const patchbay_json *v = get(call, json, name);
	if (!v && !needed)
		return 0;
	if (!is_string(v) || !id_parse(json_text(call, v), ret) || is_none(ret))
		return err_set(err, "'%s' is the id of an event", name);
	return 0;
}

static int take_time(patchbay_call *call, const patchbay_json *json, const char *name, bool needed, int64_t *ret,
		     struct err *err)
{
	const patchbay_json *v = get(call, json, name);
	if (!v && !needed)
		return 0;
	if (!is_string(v) || !clock_parse_iso(json_text(call, v), ret))
		return err_set(err, "'%s' is a time such as 2026-11-22T04:13:54.123456789Z", name);
	return 0;
}

static int find(const char *const *names, size_t n, patchbay_str text)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && str_is(text, names[i]))
			return (int)i;
	return -1;
}

static int take_name(patchbay_call *call, const patchbay_json *json, const char *name, const char *const *names,
		     size_t n, uint8_t *ret, struct err *err)
{
	const patchbay_json *v = get(call, json, name);
	int i = is_string(v) ? find(names, n, json_text(call, v)) : -1;
	if (i < 0)
		return err_set(err, "'%s' is none of those that this version knows", name);
	*ret = (uint8_t)i;
	return 0;
}

static int take_flags(patchbay_call *call, const patchbay_json *json, uint8_t *ret, struct err *err)
{
	const patchbay_json *v = get(call, json, "flags");
	for (uint32_t i = 0; v && i < json_count(v); i++) {
		int flag = find(flags, COUNT(flags), json_text(call, json_at(call, v, i)));
		if (flag < 0)
			return err_set(err, "'flags' has one that this version does not know");
		*ret |= (uint8_t)(1u << flag);
	}
	return 0;
}

static const patchbay_json *parse(patchbay_call *call, patchbay_str line, struct err *err)
{
	call_begin(call, 0);
	const patchbay_json *json = json_parse(call, line);
	if (json && json_type(json) == PATCHBAY_JSON_OBJECT)
		return json;
	err_set(err, "is no JSON object: %.*s", STR_ARG(call->why));
	return NULL;
}

int portable_decode_header(patchbay_call *call, patchbay_str line, struct err *err)
{
	const patchbay_json *json = parse(call, line, err), *format, *version;
	if (!json)
		return -1;
	format = get(call, json, "format");
	version = get(call, json, "version");
	if (!is_string(format) || !str_is(json_text(call, format), PORTABLE_FORMAT) || !version)
		return err_set(err, "is not the first line of what `patchbay journal export` writes");
	if (!str_is(json_text(call, version), "1"))
		return err_set(err, "has version %.*s of the format, this program knows 1: take a newer Patchbay",
			       STR_ARG(json_text(call, version)));
	return 0;
}

int portable_decode(patchbay_call *call, patchbay_str line, struct journal_record *ret, struct err *err)
{
	const patchbay_json *json = parse(call, line, err);
	*ret = (struct journal_record){ 0 };
	if (!json || take_name(call, json, "record", kinds, COUNT(kinds), &ret->kind, err) != 0)
		return -1;
	bool answer = ret->kind == JOURNAL_ANSWER, about = answer || ret->kind == JOURNAL_DUPLICATE;
	if (take_id(call, json, "id", !answer, &ret->id, err) != 0 ||
	    take_id(call, json, "original", about, &ret->original, err) != 0 ||
	    take_time(call, json, "received", true, &ret->received_ns, err) != 0 ||
	    take_time(call, json, "time", false, &ret->time_ns, err) != 0 ||
	    take_name(call, json, "dedupe", dedupes, COUNT(dedupes), &ret->dedupe, err) != 0 ||
	    take_flags(call, json, &ret->flags, err) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (take_text(call, json, &texts[i], i < SHORT_TEXTS, ret, err) != 0)
			return -1;
	if (!ret->source.n && !answer)
		return err_set(err, "'source' is missing");
	return ret->data.n + ret->request.n > (UINT32_C(72) << 20) ? err_set(err, "is larger than an event can be") : 0;
}
