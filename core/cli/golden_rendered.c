/* golden_rendered.c - what a sink would make of an event, compared member by member with what a test expects. */
#include "cli/golden.h"

#include "base/json.h"
#include "base/mem.h"
#include "plugin/ability.h"

#include <patchbay/preview.h>

#include <stdlib.h>

struct comparison {
	patchbay_call *call;
	const char *sink;
	patchbay_str route; /* that leads there: "routes.yaml:41" */
	struct faults *faults;
};

/* As a person would write it: strings in quotes, with escapes. The caller frees. */
static char *quoted(patchbay_str text)
{
	struct buf out = { 0 };
	buf_add_json_string(&out, text);
	char *p = xstrdup(buf_cstr(&out));
	buf_free(&out);
	return p;
}

static void differs(const struct comparison *c, const struct node *at, const char *path, patchbay_str got)
{
	char *wanted = at->kind == NODE_SCALAR ? quoted(at->text)
					       : xstrdup(at->kind == NODE_MAP ? "a mapping" : "a list of that length");
	fault_error(c->faults, at->line, at->column, "'%s' (route %.*s): expected %s %s, got %.*s", c->sink,
		    STR_ARG(c->route), path, node_is_null(at) ? "null" : wanted, STR_ARG(got));
	free(wanted);
}

static void compare(const struct comparison *c, const struct node *at, const char *path, const patchbay_json *got);

static void compare_members(const struct comparison *c, const struct node *at, const char *path,
			    const patchbay_json *got)
{
	for (size_t i = 0; i < at->n; i++) {
		const struct node *item = &at->items[i];
		const patchbay_json *member = json_get(c->call, got, item->key);
		char *inner = xasprintf("%s%s%.*s", path, *path ? "." : "", SHOWN(item->key));
		if (member) {
			compare(c, item, inner, member);
		} else {
			fault_error(c->faults, item->key_line, item->key_column,
				    "'%s' (route %.*s) has no '%s' in what it sends, which is: %.*s", c->sink,
				    STR_ARG(c->route), inner, STR_ARG(json_raw(got)));
		}
		free(inner);
	}
}

static void compare_elements(const struct comparison *c, const struct node *at, const char *path,
			     const patchbay_json *got)
{
	for (size_t i = 0; i < at->n; i++) {
		char *inner = xasprintf("%s.%zu", path, i);
		compare(c, &at->items[i], inner, json_at(c->call, got, (uint32_t)i));
		free(inner);
	}
}

static void compare(const struct comparison *c, const struct node *at, const char *path, const patchbay_json *got)
{
	int32_t type = json_type(got);
	bool same = false;
	if (at->kind == NODE_MAP && type == PATCHBAY_JSON_OBJECT) {
		compare_members(c, at, path, got);
		return;
	}
	if (at->kind == NODE_LIST && type == PATCHBAY_JSON_ARRAY && json_count(got) == at->n) {
		compare_elements(c, at, path, got);
		return;
	}
	if (at->kind == NODE_SCALAR && type == PATCHBAY_JSON_ARRAY && json_count(got) == 1) {
		compare(c, at, path, json_at(c->call, got, 0)); /* one value stands for a list of one */
		return;
	}
	if (at->kind == NODE_SCALAR && type == PATCHBAY_JSON_NULL)
		same = node_is_null(at);
	else if (at->kind == NODE_SCALAR && type == PATCHBAY_JSON_STRING)
		same = !node_is_null(at) && str_eq(at->text, json_text(c->call, got));
	else if (at->kind == NODE_SCALAR)
		same = str_eq(at->text, json_raw(got));
	if (!same)
		differs(c, at, path, json_raw(got));
}

void golden_check_rendered(struct golden_bench *b, const struct golden_outcome *o, size_t i,
			   const struct node *expected, struct faults *f)
{
	const struct config_sink *sink = &b->config->sinks[i];
	patchbay_preview ability;
	struct comparison c = { &b->event, sink->name, o->event->route, f };
	const patchbay_delivery *events[] = { o->event };
	patchbay_str out = { NULL, 0 };
	struct err err = { "" };

	if (!ABILITY_GET(sink->plugin->sink, PATCHBAY_PREVIEW, &ability, preview)) {
		fault_error(f, expected->key_line, expected->key_column,
			    "plugin '%s', of sink '%s', cannot say what it would send; remove this from 'rendered'",
			    sink->plugin->name, sink->name);
		return;
	}
	struct instance *instance = golden_sink(b, i, &err);
	if (!instance) {
		fault_error(f, expected->key_line, expected->key_column, "%s", err.text);
		return;
	}
	b->event.why = STR("");
	patchbay_status status = ability.preview(instance_self(instance), &b->event, events, 1, &out);
	const patchbay_json *got = status == PATCHBAY_OK ? json_parse(&b->event, out) : NULL;
	if (got)
		compare(&c, expected, "", got);
	else
		fault_error(f, expected->key_line, expected->key_column,
			    "'%s' (route %.*s) would refuse this event: %.*s", sink->name, STR_ARG(c.route),
			    STR_ARG(b->event.why.n ? b->event.why : STR("its plugin does not say why")));
}
