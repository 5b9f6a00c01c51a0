/* value_tables.c - the value of an option that is a mapping with a table of its own, or a list of them. */
#include "config/value.h"

#include "base/mem.h"

#include <stdlib.h>

static int fill(const struct value *v, const char *who, void *out)
{
	const struct node *node = v->node;
	const struct option_table table = {
		.v = v->option->fields,
		.n = v->option->n_fields,
		.who = who,
		.line = node->key.p ? node->key_line : node->line,
		.column = node->key.p ? node->key_column : node->column,
	};
	return options_fill(v->l, &table, node, out);
}

int value_read_map(const struct value *v, const void **field)
{
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind != NODE_MAP)
		return value_wrong(v, "must be 'key: value' lines, not %s", node_kind_name(v->node));
	void *out = xcalloc(1, v->option->fields_size);
	char *who = xasprintf("'%s'", v->option->name);
	*field = out;
	int r = fill(v, who, out);
	free(who);
	return r;
}

int value_read_list(const struct value *v, patchbay_list *field)
{
	const patchbay_option *o = v->option;
	size_t n = value_count(v->node);
	int r = 0;
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind != NODE_LIST && v->node->kind != NODE_MAP)
		return value_wrong(v, "must be a list of 'key: value' entries, not %s", node_kind_name(v->node));
	if (v->node->kind == NODE_LIST && value_check_count(v) < 0)
		return -1;
	char *all = xcalloc(n, o->fields_size);
	field->v = all;
	field->n = n;
	for (size_t i = 0; i < n; i++) {
		struct value one = { v->l, o, value_item(v->node, i) };
		char *who = n > 1 ? xasprintf("entry %zu of '%s'", i + 1, o->name) : xasprintf("'%s'", o->name);
		if (one.node->kind != NODE_MAP && one.node->kind != NODE_BAD)
			value_wrong(&one, "an entry must be 'key: value' lines, not %s", node_kind_name(one.node));
		if (one.node->kind != NODE_MAP || fill(&one, who, all + i * o->fields_size) < 0)
			r = -1;
		free(who);
	}
	return r;
}
