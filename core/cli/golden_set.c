/* golden_set.c - edits of a sample: values of YAML as JSON, put where they belong in the provider's text, of which all
 * else stays as it is. */
#include "cli/golden.h"

#include "base/json.h"
#include "cli/text.h"

#include <string.h>

/* What looks like a number, true or false is one, unless it is in quotes. */
static bool is_literal(const struct node *node)
{
	patchbay_str s = node->text;
	if (node->quoted || s.n == 0)
		return false;
	if (str_is(s, "true") || str_is(s, "false"))
		return true;
	return (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9')) && text_is_json(s);
}

void golden_json(const struct node *node, struct buf *ret)
{
	bool map = node->kind == NODE_MAP;
	if (node->kind == NODE_SCALAR) {
		if (node_is_null(node))
			buf_addf(ret, "null");
		else if (is_literal(node))
			buf_add_str(ret, node->text);
		else
			buf_add_json_string(ret, node->text);
		return;
	}
	buf_addf(ret, map ? "{" : "[");
	for (size_t i = 0; i < node->n; i++) {
		buf_addf(ret, "%s", i ? ", " : "");
		if (map) {
			buf_add_json_string(ret, node->items[i].key);
			buf_addf(ret, ": ");
		}
		golden_json(&node->items[i], ret);
	}
	buf_addf(ret, map ? "}" : "]");
}

static const patchbay_json *step(patchbay_call *call, const patchbay_json *value, patchbay_str name)
{
	int64_t index = 0;
	if (json_type(value) == PATCHBAY_JSON_OBJECT)
		return json_get(call, value, name);
	if (json_type(value) != PATCHBAY_JSON_ARRAY || name.n == 0 || name.n > 6)
		return NULL;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return NULL;
		index = 10 * index + (name.p[i] - '0');
	}
	return json_at(call, value, (uint32_t)index);
}

/* text[0..at) + put + text[at + drop..) */
static int splice(patchbay_call *call, patchbay_str *text, size_t at, size_t drop, patchbay_str put, struct err *err)
{
	size_t n = text->n - drop + put.n;
	char *p = arena_alloc(&call->arena, n + 1);
	if (!p)
		return err_set(err, "the request grows too large");
	memcpy(p, text->p, at);
	memcpy(p + at, put.p, put.n);
	memcpy(p + at + put.n, text->p + at + drop, text->n - at - drop);
	*text = (patchbay_str){ p, n };
	return 0;
}

int golden_set(patchbay_call *call, patchbay_str path, patchbay_str json, patchbay_str *text, struct err *err)
{
	const patchbay_json *value = json_parse(call, *text);
	size_t done = 0;
	if (!value)
		return err_set(err, "the body is not JSON, so nothing can be set in it");
	for (;;) {
		const char *dot = memchr(path.p + done, '.', path.n - done);
		patchbay_str name = { path.p + done, dot ? (size_t)(dot - path.p) - done : path.n - done };
		const patchbay_json *next = step(call, value, name);
		if (!next && !dot && json_type(value) == PATCHBAY_JSON_OBJECT) { /* a new member, in front */
			struct buf member = { 0 };
			buf_add_json_string(&member, name);
			buf_addf(&member, ": %.*s%s", STR_ARG(json), json_count(value) ? ", " : "");
			size_t at = (size_t)(json_raw(value).p - text->p) + 1;
			int r = splice(call, text, at, 0, buf_str(&member), err);
			buf_free(&member);
			return r;
		}
		if (!next)
			return err_set(err, "there is no '%.*s' in the body", (int)(done + name.n), path.p);
		if (!dot)
			return splice(call, text, (size_t)(json_raw(next).p - text->p), json_raw(next).n, json, err);
		value = next;
		done += name.n + 1;
	}
}
