/* value_lists.c - the value of an option that is a list. One value that is no list counts as a list of one. */
#include "config/value.h"

#include "base/mem.h"
#include "config/scalar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

size_t value_count(const struct node *node)
{
	return node->kind == NODE_LIST ? node->n : 1;
}

const struct node *value_item(const struct node *node, size_t i)
{
	return node->kind == NODE_LIST ? &node->items[i] : node;
}

int value_check_count(const struct value *v)
{
	const patchbay_option *o = v->option;
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind == NODE_MAP && !(o->flags & PATCHBAY_F_SECRET))
		return value_wrong(v, "must be a list, not a mapping");
	if (v->node->kind != NODE_LIST)
		return 0;
	if (v->node->n == 0 && (o->flags & PATCHBAY_F_REQUIRED))
		return value_wrong(v, "the list is empty; it needs at least one entry");
	if (value_in_range(o, (double)v->node->n))
		return 0;
	if (o->max < o->min)
		return value_wrong(v, "has %zu entries; it needs %" PRId64 " or more", v->node->n, o->min);
	return value_wrong(v, "has %zu entries; it takes %" PRId64 " to %" PRId64, v->node->n, o->min, o->max);
}

int value_read_strs(const struct value *v, patchbay_strs *field)
{
	int r = value_check_count(v);
	if (r < 0)
		return -1;
	patchbay_str *strs = xcalloc(value_count(v->node) + 1, sizeof(*strs));
	field->v = strs;
	for (size_t i = 0; i < value_count(v->node); i++) {
		struct value one = { v->l, v->option, value_item(v->node, i) };
		if (value_read_str(&one, &strs[field->n]) < 0)
			r = -1;
		else
			field->n++;
	}
	return r;
}

static int read_cidr(const struct value *v, patchbay_cidr *field)
{
	bool stray;
	patchbay_str text = v->node->text;
	if (value_need_scalar(v) < 0)
		return -1;
	if (!scalar_cidr(text, field, &stray))
		return value_wrong(
			v, "'%.*s' is not an address or network; write it as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32",
			SHOWN(text));
	if (stray)
		fault_warning(&v->l->faults, v->node->line, v->node->column,
			      "'%s': %.*s has bits behind its prefix; the whole network counts", v->option->name,
			      SHOWN(text));
	return 0;
}

int value_read_cidrs(const struct value *v, patchbay_cidrs *field)
{
	int r = value_check_count(v);
	if (r < 0)
		return -1;
	patchbay_cidr *nets = xcalloc(value_count(v->node) + 1, sizeof(*nets));
	field->v = nets;
	for (size_t i = 0; i < value_count(v->node); i++) {
		struct value one = { v->l, v->option, value_item(v->node, i) };
		if (read_cidr(&one, &nets[field->n]) < 0)
			r = -1;
		else
			field->n++;
	}
	return r;
}

/* `id`: a field of the envelope under its own name. */
static int read_bare_field(const struct value *v, patchbay_field *field)
{
	patchbay_str name = v->node->text;
	struct err err = { "" };
	size_t n = 0;
	if (value_need_scalar(v) < 0)
		return -1;
	while (expr_envelope_fields[n] && !str_is(name, expr_envelope_fields[n]))
		n++;
	if (!expr_envelope_fields[n] && name.n > 0 && memmem(name.p, name.n, ": ", 2))
		return value_wrong(v,
				   "'%.*s' in quotes is one word; write header: 'expression', with quotes around the "
				   "expression only",
				   SHOWN(name));
	if (!expr_envelope_fields[n]) {
		char *hint = fault_hint(name, expr_envelope_fields, n,
					"; for what is inside of .data write 'header: .data.name'");
		value_wrong(v, "an event has no field '%.*s'%s", SHOWN(name), hint);
		free(hint);
		return -1;
	}
	char *program = xasprintf(".%s", expr_envelope_fields[n]);
	field->expr = expr_compile(EXPR_PROGRAM, str_c(program), &err);
	free(program);
	if (!field->expr)
		return value_wrong(v, "%s", err.text);
	field->name = value_copy(name);
	return 0;
}

/* `header: jq expression` */
static int read_pair_field(const struct value *v, patchbay_field *field)
{
	if (v->node->n != 1)
		return value_wrong(v, "has %zu keys in one entry; begin each 'header: expression' with its own '-'",
				   v->node->n);
	struct value expr = { v->l, v->option, &v->node->items[0] };
	if (value_read_expr(&expr, EXPR_PROGRAM, &field->expr) < 0)
		return -1;
	field->name = value_copy(expr.node->key);
	return 0;
}

static int check_unique(const struct value *v, const patchbay_fields *fields, patchbay_str name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (str_eq(fields->v[i].name, name))
			return value_wrong(v, "there are two entries '%.*s'; give each a name of its own", SHOWN(name));
	return 0;
}

int value_read_fields(const struct value *v, patchbay_fields *ret)
{
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind != NODE_LIST)
		return value_wrong(v, "must be a list of '- id' or '- header: expression' entries, not %s",
				   node_kind_name(v->node));
	int r = value_check_count(v);
	if (r < 0)
		return -1;
	patchbay_field *fields = xcalloc(v->node->n + 1, sizeof(*fields));
	ret->v = fields;
	for (size_t i = 0; i < v->node->n; i++) {
		struct value one = { v->l, v->option, &v->node->items[i] };
		patchbay_str name = one.node->kind == NODE_MAP && one.node->n ? one.node->items[0].key : one.node->text;
		patchbay_field *field = &fields[ret->n];
		if (check_unique(&one, ret, name) < 0 ||
		    (one.node->kind == NODE_MAP ? read_pair_field(&one, field) : read_bare_field(&one, field)) < 0)
			r = -1;
		else
			ret->n++;
	}
	return r;
}

/* What begins like this is no name, address or number, but a program. */
static bool is_program(const struct node *node)
{
	size_t i = 0;
	if (node->kind != NODE_SCALAR || node_is_null(node))
		return false;
	while (i < node->text.n && (node->text.p[i] == ' ' || node->text.p[i] == '\t' || node->text.p[i] == '\n'))
		i++;
	return i < node->text.n && memchr(".([\"", node->text.p[i], 4);
}

int value_read_strs_expr(const struct value *v, patchbay_strs_expr *field)
{
	return is_program(v->node) ? value_read_expr(v, EXPR_PROGRAM, &field->expr) : value_read_strs(v, &field->strs);
}
