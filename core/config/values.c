/* values.c - the value of one option, by its type. Every message names the option and says what to write. */
#include "config/options.h"

#include "base/mem.h"
#include "config/scalar.h"
#include "config/secret.h"
#include "expr/expr.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The option whose value is read, and where messages about it point to. */
struct value {
	struct loader *l;
	const patchbay_option *option;
	const struct node *node;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct value *v, const char *fmt, ...)
{
	va_list ap;
	char *sentence = NULL;
	va_start(ap, fmt);
	if (vasprintf(&sentence, fmt, ap) < 0)
		abort();
	va_end(ap);
	fault_error(&v->l->faults, v->node->line, v->node->column, "'%s': %s", v->option->name, sentence);
	free(sentence);
	return -1;
}

static patchbay_str copy(patchbay_str s)
{
	char *p = xmalloc(s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (patchbay_str){ p, s.n };
}

/* One value, of whatever spelling. */
static int need_scalar(const struct value *v)
{
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind != NODE_SCALAR)
		return wrong(v, "must be one value, not %s", node_kind_name(v->node));
	if (node_is_null(v->node))
		return wrong(v, "has no value; write one, or remove the line");
	return 0;
}

/* A number, true or false: in quotes they would be a string. */
static int need_plain(const struct value *v, const char *wanted)
{
	if (need_scalar(v) < 0)
		return -1;
	if (v->node->quoted)
		return wrong(v, "'%.*s' in quotes is a string; write %s without quotes", SHOWN(v->node->text), wanted);
	return 0;
}

static int read_bool(const struct value *v, bool *field)
{
	patchbay_str text = v->node->text;
	if (need_plain(v, "true or false") < 0)
		return -1;
	if (!str_is(text, "true") && !str_is(text, "false")) {
		double number;
		return wrong(v, "'%.*s' is a %s; write true or false", SHOWN(text),
			     scalar_real(text, &number) ? "number" : "string");
	}
	*field = str_is(text, "true");
	return 0;
}

static bool in_range(const patchbay_option *o, double value)
{
	if (o->min == 0 && o->max == 0)
		return true;
	return value >= (double)o->min && (o->max < o->min || value <= (double)o->max);
}

static const char *show(const patchbay_option *o, int64_t value, char out[SCALAR_SHOW_SIZE])
{
	if (o->type == PATCHBAY_T_MS)
		return scalar_show_ms(value, out);
	if (o->type == PATCHBAY_T_BYTES)
		return scalar_show_bytes(value, out);
	snprintf(out, SCALAR_SHOW_SIZE, "%" PRId64, value);
	return out;
}

static int out_of_range(const struct value *v)
{
	const patchbay_option *o = v->option;
	char min[SCALAR_SHOW_SIZE], max[SCALAR_SHOW_SIZE];
	if (o->max < o->min)
		return wrong(v, "%.*s is out of range; write %s or more", SHOWN(v->node->text), show(o, o->min, min));
	return wrong(v, "%.*s is out of range; write %s to %s", SHOWN(v->node->text), show(o, o->min, min),
		     show(o, o->max, max));
}

static int read_int(const struct value *v, int64_t *field)
{
	int64_t value;
	if (need_plain(v, "the number") < 0)
		return -1;
	if (!scalar_int(v->node->text, &value))
		return wrong(v, "'%.*s' is not a whole number", SHOWN(v->node->text));
	if (!in_range(v->option, (double)value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_real(const struct value *v, double *field)
{
	double value;
	if (need_plain(v, "the number") < 0)
		return -1;
	if (!scalar_real(v->node->text, &value))
		return wrong(v, "'%.*s' is not a number; write it as 2 or 0.5", SHOWN(v->node->text));
	if (!in_range(v->option, value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_ms(const struct value *v, int64_t *field)
{
	int64_t value;
	if (need_scalar(v) < 0)
		return -1;
	if (!scalar_ms(v->node->text, &value))
		return wrong(v, "'%.*s' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d", SHOWN(v->node->text));
	if (!in_range(v->option, (double)value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_bytes(const struct value *v, int64_t *field)
{
	int64_t value;
	if (need_scalar(v) < 0)
		return -1;
	if (!scalar_bytes(v->node->text, &value))
		return wrong(v, "'%.*s' is not a size; write it as 512, 64K, 10M or 1G", SHOWN(v->node->text));
	if (!in_range(v->option, (double)value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_enum(const struct value *v, int64_t *field)
{
	const char *const *names = v->option->one_of;
	size_t n = 0;
	struct buf all = { 0 };
	if (need_scalar(v) < 0)
		return -1;
	for (; names && names[n]; n++) {
		if (str_is(v->node->text, names[n])) {
			*field = (int64_t)n;
			buf_free(&all);
			return 0;
		}
		buf_addf(&all, "%s%s", n ? ", " : "; write one of: ", names[n]);
	}
	char *hint = fault_hint(v->node->text, names, n, buf_cstr(&all));
	wrong(v, "there is no '%.*s'%s", SHOWN(v->node->text), hint);
	free(hint);
	buf_free(&all);
	return -1;
}

static int read_str(const struct value *v, patchbay_str *field)
{
	if (v->option->flags & PATCHBAY_F_SECRET)
		return secret_read(v->l, v->node, v->option->name, field);
	if (need_scalar(v) < 0)
		return -1;
	if (v->node->text.n == 0 && (v->option->flags & PATCHBAY_F_REQUIRED))
		return wrong(v, "must not be empty");
	if (v->option->flags & PATCHBAY_F_PATH && v->node->text.n)
		*field = str_c(loader_path(v->l, v->node->text));
	else
		*field = copy(v->node->text);
	return 0;
}

static int read_expr(const struct value *v, enum expr_form form, const patchbay_expr **field)
{
	struct err err = { "" };
	if (need_scalar(v) < 0)
		return -1;
	if (v->l->looking) /* compiling may take 15 ms */
		return 0;
	*field = expr_compile(form, v->node->text, &err);
	return *field ? 0 : wrong(v, "not a valid jq %s: %s", form == EXPR_TEXT ? "text" : "program", err.text);
}

/* ---- Lists. One value that is no list counts as a list of one. */

static size_t count(const struct node *node)
{
	return node->kind == NODE_LIST ? node->n : 1;
}

static const struct node *item(const struct node *node, size_t i)
{
	return node->kind == NODE_LIST ? &node->items[i] : node;
}

static int check_count(const struct value *v)
{
	const patchbay_option *o = v->option;
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind == NODE_MAP && !(o->flags & PATCHBAY_F_SECRET))
		return wrong(v, "must be a list, not a mapping");
	if (v->node->kind != NODE_LIST)
		return 0;
	if (v->node->n == 0 && (o->flags & PATCHBAY_F_REQUIRED))
		return wrong(v, "the list is empty; it needs at least one entry");
	if (in_range(o, (double)v->node->n))
		return 0;
	if (o->max < o->min)
		return wrong(v, "has %zu entries; it needs %" PRId64 " or more", v->node->n, o->min);
	return wrong(v, "has %zu entries; it takes %" PRId64 " to %" PRId64, v->node->n, o->min, o->max);
}

static int read_strs(const struct value *v, patchbay_strs *field)
{
	int r = check_count(v);
	if (r < 0)
		return -1;
	patchbay_str *strs = xcalloc(count(v->node) + 1, sizeof(*strs));
	field->v = strs;
	for (size_t i = 0; i < count(v->node); i++) {
		struct value one = { v->l, v->option, item(v->node, i) };
		if (read_str(&one, &strs[field->n]) < 0)
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
	if (need_scalar(v) < 0)
		return -1;
	if (!scalar_cidr(text, field, &stray))
		return wrong(
			v, "'%.*s' is not an address or network; write it as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32",
			SHOWN(text));
	if (stray)
		fault_warning(&v->l->faults, v->node->line, v->node->column,
			      "'%s': %.*s has bits behind its prefix; the whole network counts", v->option->name,
			      SHOWN(text));
	return 0;
}

static int read_cidrs(const struct value *v, patchbay_cidrs *field)
{
	int r = check_count(v);
	if (r < 0)
		return -1;
	patchbay_cidr *nets = xcalloc(count(v->node) + 1, sizeof(*nets));
	field->v = nets;
	for (size_t i = 0; i < count(v->node); i++) {
		struct value one = { v->l, v->option, item(v->node, i) };
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
	if (need_scalar(v) < 0)
		return -1;
	while (expr_envelope_fields[n] && !str_is(name, expr_envelope_fields[n]))
		n++;
	if (!expr_envelope_fields[n] && name.n > 0 && memmem(name.p, name.n, ": ", 2))
		return wrong(v,
			     "'%.*s' in quotes is one word; write header: 'expression', with quotes around the "
			     "expression only",
			     SHOWN(name));
	if (!expr_envelope_fields[n]) {
		char *hint = fault_hint(name, expr_envelope_fields, n,
					"; for what is inside of .data write 'header: .data.name'");
		wrong(v, "an event has no field '%.*s'%s", SHOWN(name), hint);
		free(hint);
		return -1;
	}
	char *program = xasprintf(".%s", expr_envelope_fields[n]);
	field->expr = expr_compile(EXPR_PROGRAM, str_c(program), &err);
	free(program);
	if (!field->expr)
		return wrong(v, "%s", err.text);
	field->name = copy(name);
	return 0;
}

/* `header: jq expression` */
static int read_pair_field(const struct value *v, patchbay_field *field)
{
	if (v->node->n != 1)
		return wrong(v, "has %zu keys in one entry; begin each 'header: expression' with its own '-'",
			     v->node->n);
	struct value expr = { v->l, v->option, &v->node->items[0] };
	if (read_expr(&expr, EXPR_PROGRAM, &field->expr) < 0)
		return -1;
	field->name = copy(expr.node->key);
	return 0;
}

static int check_unique(const struct value *v, const patchbay_fields *fields, patchbay_str name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (str_eq(fields->v[i].name, name))
			return wrong(v, "there are two entries '%.*s'; give each a name of its own", SHOWN(name));
	return 0;
}

static int read_fields(const struct value *v, patchbay_fields *ret)
{
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind != NODE_LIST)
		return wrong(v, "must be a list of '- id' or '- header: expression' entries, not %s",
			     node_kind_name(v->node));
	int r = check_count(v);
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

int option_read(struct loader *l, const patchbay_option *option, const struct node *node, void *field)
{
	struct value v = { l, option, node };
	switch (option->type) {
	case PATCHBAY_T_BOOL:
		return read_bool(&v, field);
	case PATCHBAY_T_INT:
		return read_int(&v, field);
	case PATCHBAY_T_REAL:
		return read_real(&v, field);
	case PATCHBAY_T_STR:
		return read_str(&v, field);
	case PATCHBAY_T_STRS:
		return read_strs(&v, field);
	case PATCHBAY_T_ENUM:
		return read_enum(&v, field);
	case PATCHBAY_T_MS:
		return read_ms(&v, field);
	case PATCHBAY_T_BYTES:
		return read_bytes(&v, field);
	case PATCHBAY_T_CIDRS:
		return read_cidrs(&v, field);
	case PATCHBAY_T_EXPR:
		return read_expr(&v, EXPR_PROGRAM, field);
	case PATCHBAY_T_TEXT:
		return read_expr(&v, EXPR_TEXT, field);
	case PATCHBAY_T_FIELDS:
		return read_fields(&v, field);
	default:
		return -1; /* options_fill() has refused it */
	}
}
