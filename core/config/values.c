/* values.c - the value of one option, by its type: single values. Every message names the option and says what to
 * write. */
#include "config/value.h"

#include "base/mem.h"
#include "config/scalar.h"
#include "config/secret.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int value_wrong(const struct value *v, const char *fmt, ...)
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

patchbay_str value_copy(patchbay_str s)
{
	char *p = xmalloc(s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (patchbay_str){ p, s.n };
}

int value_need_scalar(const struct value *v)
{
	if (v->node->kind == NODE_BAD)
		return -1;
	if (v->node->kind != NODE_SCALAR)
		return value_wrong(v, "must be one value, not %s", node_kind_name(v->node));
	if (node_is_null(v->node))
		return value_wrong(v, "has no value; write one, or remove the line");
	return 0;
}

/* A number, true or false: in quotes they would be a string. */
static int need_plain(const struct value *v, const char *wanted)
{
	if (value_need_scalar(v) < 0)
		return -1;
	if (v->node->quoted)
		return value_wrong(v, "'%.*s' in quotes is a string; write %s without quotes", SHOWN(v->node->text),
				   wanted);
	return 0;
}

static int read_bool(const struct value *v, bool *field)
{
	patchbay_str text = v->node->text;
	if (need_plain(v, "true or false") < 0)
		return -1;
	if (!str_is(text, "true") && !str_is(text, "false")) {
		double number;
		return value_wrong(v, "'%.*s' is a %s; write true or false", SHOWN(text),
				   scalar_real(text, &number) ? "number" : "string");
	}
	*field = str_is(text, "true");
	return 0;
}

bool value_in_range(const patchbay_option *o, double value)
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
		return value_wrong(v, "%.*s is out of range; write %s or more", SHOWN(v->node->text),
				   show(o, o->min, min));
	return value_wrong(v, "%.*s is out of range; write %s to %s", SHOWN(v->node->text), show(o, o->min, min),
			   show(o, o->max, max));
}

static int read_int(const struct value *v, int64_t *field)
{
	int64_t value;
	if (need_plain(v, "the number") < 0)
		return -1;
	if (!scalar_int(v->node->text, &value))
		return value_wrong(v, "'%.*s' is not a whole number", SHOWN(v->node->text));
	if (!value_in_range(v->option, (double)value))
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
		return value_wrong(v, "'%.*s' is not a number; write it as 2 or 0.5", SHOWN(v->node->text));
	if (!value_in_range(v->option, value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_ms(const struct value *v, int64_t *field)
{
	int64_t value;
	if (value_need_scalar(v) < 0)
		return -1;
	if (!scalar_ms(v->node->text, &value))
		return value_wrong(v, "'%.*s' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d",
				   SHOWN(v->node->text));
	if (!value_in_range(v->option, (double)value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_bytes(const struct value *v, int64_t *field)
{
	int64_t value;
	if (value_need_scalar(v) < 0)
		return -1;
	if (!scalar_bytes(v->node->text, &value))
		return value_wrong(v, "'%.*s' is not a size; write it as 512, 64K, 10M or 1G", SHOWN(v->node->text));
	if (!value_in_range(v->option, (double)value))
		return out_of_range(v);
	*field = value;
	return 0;
}

static int read_enum(const struct value *v, int64_t *field)
{
	const char *const *names = v->option->one_of;
	size_t n = 0;
	struct buf all = { 0 };
	if (value_need_scalar(v) < 0)
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
	value_wrong(v, "there is no '%.*s'%s", SHOWN(v->node->text), hint);
	free(hint);
	buf_free(&all);
	return -1;
}

int value_read_str(const struct value *v, patchbay_str *field)
{
	if (v->option->flags & PATCHBAY_F_SECRET)
		return secret_read(v->l, v->node, v->option->name, field);
	if (value_need_scalar(v) < 0)
		return -1;
	if (v->node->text.n == 0 && (v->option->flags & PATCHBAY_F_REQUIRED))
		return value_wrong(v, "must not be empty%s%s", v->option->help ? ": " : "",
				   v->option->help ? v->option->help : "");
	if (v->option->flags & PATCHBAY_F_PATH && v->node->text.n)
		*field = str_c(loader_path(v->l, v->node->text));
	else
		*field = value_copy(v->node->text);
	return 0;
}

int value_read_expr(const struct value *v, enum expr_form form, const patchbay_expr **field)
{
	struct err err = { "" };
	if (value_need_scalar(v) < 0)
		return -1;
	if (v->l->looking) /* compiling may take 15 ms */
		return 0;
	*field = expr_compile(form, v->node->text, &err);
	return *field ? 0 : value_wrong(v, "not a valid jq %s: %s", form == EXPR_TEXT ? "text" : "program", err.text);
}

int option_read(struct loader *l, const patchbay_option *option, const struct node *node, void *field)
{
	const struct value value = { l, option, node }, *v = &value;
	switch (option->type) {
	case PATCHBAY_T_BOOL:
		return read_bool(v, field);
	case PATCHBAY_T_INT:
		return read_int(v, field);
	case PATCHBAY_T_REAL:
		return read_real(v, field);
	case PATCHBAY_T_STR:
		return value_read_str(v, field);
	case PATCHBAY_T_STRS:
		return value_read_strs(v, field);
	case PATCHBAY_T_ENUM:
		return read_enum(v, field);
	case PATCHBAY_T_MS:
		return read_ms(v, field);
	case PATCHBAY_T_BYTES:
		return read_bytes(v, field);
	case PATCHBAY_T_CIDRS:
		return value_read_cidrs(v, field);
	case PATCHBAY_T_EXPR:
		return value_read_expr(v, EXPR_PROGRAM, field);
	case PATCHBAY_T_TEXT:
		return value_read_expr(v, EXPR_TEXT, field);
	case PATCHBAY_T_FIELDS:
		return value_read_fields(v, field);
	case PATCHBAY_T_MAP:
		return value_read_map(v, field);
	case PATCHBAY_T_LIST:
		return value_read_list(v, field);
	case PATCHBAY_T_STRS_EXPR:
		return value_read_strs_expr(v, field);
	default:
		return -1; /* options_fill() has refused it */
	}
}
