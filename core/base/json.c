/* json.c - looking things up in a text that json_scan() found to be JSON; nothing is checked again here. */
#include "base/json.h"

#include "base/json_scan.h"
#include "base/str.h"

#include <string.h>

struct json_doc { /* a text parsed in this call */
	struct json_doc *next;
	patchbay_str text;
	struct patchbay_json root;
};

static const char no_memory[] = "the JSON needs more memory than one call may have";

/* ---- Moving over text. All stay inside one value, which is known to be well-formed. */

static const char *over_space(const char *p)
{
	while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
		p++;
	return p;
}

/* p is behind the opening quote; returns where the closing one stands. */
static const char *string_end(const char *p, bool *ret_escaped)
{
	*ret_escaped = false;
	for (; *p != '"'; p++) {
		if (*p == '\\') {
			*ret_escaped = true;
			p++;
		}
	}
	return p;
}

static const char *over_value(const char *p, const char *end)
{
	bool escaped;
	size_t depth = 0;

	do {
		switch (*p) {
		case '"':
			p = string_end(p + 1, &escaped) + 1;
			break;
		case '{':
		case '[':
			depth++;
			p++;
			break;
		case '}':
		case ']':
			depth--;
			p++;
			break;
		default: /* inside containers also commas, colons and space, one by one */
			p++;
			if (depth == 0)
				while (p<end && * p> ' ' && *p != ',' && *p != '}' && *p != ']')
					p++;
		}
	} while (depth);
	return p;
}

/* The members or elements of a container, in turn. */
struct walk {
	const char *p, *end; /* end: of the container's text */
	patchbay_str key;    /* objects only */
	bool escaped;
	struct patchbay_json value;
};

static struct walk walk_start(const struct patchbay_json *container)
{
	return (struct walk){ .p = container->p + 1, .end = container->p + container->n };
}

static bool walk_next(struct walk *w, bool object)
{
	w->p = over_space(w->p);
	if (*w->p == ',')
		w->p = over_space(w->p + 1);
	if (*w->p == '}' || *w->p == ']')
		return false;
	if (object) {
		const char *quote = string_end(w->p + 1, &w->escaped);
		w->key = (patchbay_str){ w->p + 1, (size_t)(quote - w->p - 1) };
		w->p = over_space(over_space(quote + 1) + 1); /* the colon */
	}
	const char *behind = over_value(w->p, w->end);
	w->value = json_value(w->p, (size_t)(behind - w->p));
	w->p = behind;
	return true;
}

/* ---- Strings */

static uint32_t hex4(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];
		value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00 >> n & 0xff) | c);
	return n;
}

/* Decodes what stands at *p, a byte or an escape, and moves on. out has room for 4. */
static size_t decode_one(const char **p, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *s = *p;

	if (*s != '\\') {
		*out = *s;
		*p = s + 1;
		return 1;
	}
	if (s[1] != 'u') {
		const char *found = strchr(from, s[1]);
		*out = found ? to[found - from] : s[1];
		*p = s + 2;
		return 1;
	}
	uint32_t c = hex4(s + 2);
	*p = s + 6;
	if (c >= 0xd800 && c <= 0xdfff) {
		c = 0x10000 + ((c - 0xd800) << 10) + (hex4(s + 8) - 0xdc00);
		*p = s + 12;
	}
	return put_utf8(c, out);
}

static bool same(patchbay_str a, patchbay_str b, bool nocase)
{
	return nocase ? str_eq_nocase(a, b) : str_eq(a, b);
}

static bool key_is(patchbay_str key, bool escaped, patchbay_str name, bool nocase)
{
	if (!escaped)
		return same(key, name, nocase);
	for (const char *p = key.p, *end = key.p + key.n; p < end;) {
		char one[4];
		size_t n = decode_one(&p, one);
		if (n > name.n || !same((patchbay_str){ one, n }, (patchbay_str){ name.p, n }, nocase))
			return false;
		name.p += n;
		name.n -= n;
	}
	return name.n == 0;
}

/* ---- Looking up */

static bool member_of(const struct patchbay_json *object, patchbay_str name, bool nocase, struct patchbay_json *ret)
{
	bool found = false;

	if (!object || object->type != PATCHBAY_JSON_OBJECT)
		return false;
	for (uint32_t i = object->index.n; i-- > 0;) {
		const struct json_member *m = &object->index.v[i];
		if (key_is(m->key, m->escaped, name, nocase)) {
			*ret = json_value(m->value.p, m->value.n);
			return true;
		}
	}
	if (object->index.v)
		return false;
	struct walk w = walk_start(object);
	while (walk_next(&w, true)) {
		if (key_is(w.key, w.escaped, name, nocase)) {
			*ret = w.value;
			found = true; /* but the last one counts */
		}
	}
	return found;
}

static bool element_of(const struct patchbay_json *array, uint32_t index, struct patchbay_json *ret)
{
	struct json_position *position;

	if (!array || array->type != PATCHBAY_JSON_ARRAY)
		return false;
	struct walk w = walk_start(array);
	uint32_t i = 0;
	position = array->position;
	if (position && position->at && position->index <= index) {
		i = position->index;
		w.p = position->at;
	}
	do {
		if (position) {
			position->index = i;
			position->at = w.p;
		}
		if (!walk_next(&w, false))
			return false;
	} while (i++ < index);
	*ret = w.value;
	return true;
}

static const patchbay_json *keep(patchbay_call *call, const struct patchbay_json *value)
{
	struct patchbay_json *kept = arena_alloc(&call->arena, sizeof(*kept));

	if (!kept) {
		call_explain(call, "%s", no_memory);
		return NULL;
	}
	*kept = *value;
	if (kept->type == PATCHBAY_JSON_ARRAY)
		kept->position = arena_alloc(&call->arena, sizeof(*kept->position)); /* NULL is only slower */
	return kept;
}

const patchbay_json *json_parse(patchbay_call *call, patchbay_str text)
{
	struct patchbay_json root;
	struct json_doc *doc;
	struct err err;

	for (doc = call->json; doc; doc = doc->next)
		if (doc->text.p == text.p && doc->text.n == text.n)
			return &doc->root;
	if (!json_scan(&call->arena, text, &root, &err)) {
		call_explain(call, "not JSON: %s", err.text);
		return NULL;
	}
	if (!(doc = arena_alloc(&call->arena, sizeof(*doc)))) {
		call_explain(call, "%s", no_memory);
		return NULL;
	}
	doc->text = text;
	doc->root = root;
	if (root.type == PATCHBAY_JSON_ARRAY)
		doc->root.position = arena_alloc(&call->arena, sizeof(*doc->root.position));
	doc->next = call->json;
	call->json = doc;
	return &doc->root;
}

int32_t json_type(const patchbay_json *json)
{
	return json ? json->type : 0;
}

const patchbay_json *json_get(patchbay_call *call, const patchbay_json *json, patchbay_str name)
{
	struct patchbay_json found;

	return member_of(json, name, false, &found) ? keep(call, &found) : NULL;
}

static bool parse_index(patchbay_str digits, uint32_t *ret)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9' || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint32_t)(digits.p[i] - '0'), &value))
			return false;
	*ret = value;
	return digits.n > 0;
}

/* One alternative of a path: "vehicle.stops.0.id". */
static bool follow(const patchbay_json *json, patchbay_str path, bool nocase, struct patchbay_json *ret)
{
	struct patchbay_json at = *json, next;

	for (;;) {
		const char *dot = memchr(path.p, '.', path.n);
		patchbay_str step = { path.p, dot ? (size_t)(dot - path.p) : path.n };
		uint32_t index;
		bool found = at.type == PATCHBAY_JSON_ARRAY ? parse_index(step, &index) && element_of(&at, index, &next)
							    : member_of(&at, step, nocase, &next);
		if (!found)
			return false;
		at = next;
		if (!dot)
			break;
		path.n -= step.n + 1;
		path.p = dot + 1;
	}
	*ret = at;
	return true;
}

const patchbay_json *json_find(patchbay_call *call, const patchbay_json *json, const char *paths, bool nocase)
{
	struct patchbay_json found;

	if (!json || !paths)
		return NULL;
	for (;;) {
		size_t n = strcspn(paths, "|");
		if (follow(json, (patchbay_str){ paths, n }, nocase, &found) && found.type != PATCHBAY_JSON_NULL)
			return keep(call, &found);
		if (!paths[n])
			return NULL;
		paths += n + 1;
	}
}

uint32_t json_count(const patchbay_json *json)
{
	uint32_t n = 0;

	if (!json || (json->type != PATCHBAY_JSON_OBJECT && json->type != PATCHBAY_JSON_ARRAY))
		return 0;
	if (json->index.v)
		return json->index.n;
	struct walk w = walk_start(json);
	while (walk_next(&w, json->type == PATCHBAY_JSON_OBJECT))
		n++;
	return n;
}

const patchbay_json *json_at(patchbay_call *call, const patchbay_json *json, uint32_t index)
{
	struct patchbay_json found;

	return element_of(json, index, &found) ? keep(call, &found) : NULL;
}

patchbay_str json_raw(const patchbay_json *json)
{
	return json ? (patchbay_str){ json->p, json->n } : STR("");
}

patchbay_str json_text(patchbay_call *call, const patchbay_json *json)
{
	if (!json || json->type == PATCHBAY_JSON_NULL || json->type == PATCHBAY_JSON_ARRAY ||
	    json->type == PATCHBAY_JSON_OBJECT)
		return STR("");
	if (json->type != PATCHBAY_JSON_STRING)
		return json_raw(json);
	patchbay_str inside = { json->p + 1, json->n - 2 };
	if (!memchr(inside.p, '\\', inside.n))
		return inside;
	char *text = arena_alloc(&call->arena, inside.n); /* decoding never makes it longer */
	if (!text) {
		call_explain(call, "%s", no_memory);
		return STR("");
	}
	size_t n = 0;
	for (const char *p = inside.p, *end = inside.p + inside.n; p < end;)
		n += decode_one(&p, text + n);
	return (patchbay_str){ text, n };
}

const patchbay_json_service json_service = {
	.size = sizeof(patchbay_json_service),
	.parse = json_parse,
	.type = json_type,
	.get = json_get,
	.find = json_find,
	.count = json_count,
	.at = json_at,
	.raw = json_raw,
	.text = json_text,
};
