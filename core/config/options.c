/* options.c - one mapping of routes.yaml, checked against a table of options and written into a struct. */
#include "config/options.h"

#include "base/mem.h"
#include "config/secret.h"
#include "expr/expr.h"

#include <stdlib.h>
#include <string.h>

static void *field_of(const patchbay_option *option, void *out)
{
	return (char *)out + option->offset;
}

/* The default is YAML text. A fault in it is the plugin's, and has no place in the file. */
static int fill_default(struct loader *l, const struct option_table *t, const patchbay_option *option, void *field)
{
	struct config_faults found = { 0 };
	struct loader inner = *l;
	inner.faults = (struct faults){ .path = "default", .list = &found };
	struct node *node = yaml_parse(str_c(option->def), &inner.faults);
	int r = 0;
	if (node && !node_is_null(node))
		r = option_read(&inner, option, node, field);
	if (inner.faults.errors > 0) {
		fault_error(&l->faults, t->line, t->column, "plugin %s declares a wrong default for '%s': %s",
			    l->plugin, option->name, found.v[0].message);
		r = -1;
	}
	node_free(node);
	config_faults_free(&found);
	return r;
}

static int fill_one(struct loader *l, const struct option_table *t, const patchbay_option *option,
		    const struct node *map, void *out)
{
	void *field = field_of(option, out);
	const struct node *node = map ? node_get(map, option->name) : NULL;
	if (node)
		return option_read(l, option, node, field);
	if (option->flags & PATCHBAY_F_REQUIRED) {
		fault_error(&l->faults, t->line, t->column, "%s needs '%s': %s", t->who, option->name,
			    option->help ? option->help : "it has no default");
		return -1;
	}
	return option->def ? fill_default(l, t, option, field) : 0;
}

static int check_keys(struct loader *l, const struct option_table *t, const struct node *map)
{
	size_t n = 0, n_others = 0;
	while (t->others && t->others[n_others])
		n_others++;
	const char **names = xcalloc(t->n_common + n_others + t->n + 1, sizeof(*names));
	struct buf all = { 0 };
	int r = 0;

	for (size_t i = 0; i < t->n_common; i++)
		names[n++] = t->common[i].name;
	for (size_t i = 0; i < n_others; i++)
		names[n++] = t->others[i];
	for (size_t i = 0; i < t->n; i++)
		names[n++] = t->v[i].name;
	for (size_t i = 0; i < n; i++)
		buf_addf(&all, "%s%s", i ? ", " : "; there are: ", names[i]);
	for (size_t i = 0; i < map->n; i++) {
		const struct node *item = &map->items[i];
		size_t k = 0;
		while (k < n && !str_is(item->key, names[k]))
			k++;
		if (k < n)
			continue;
		char *hint = fault_hint(item->key, names, n, buf_cstr(&all));
		fault_error(&l->faults, item->key_line, item->key_column, "unknown key '%.*s' in %s%s",
			    SHOWN(item->key), t->who, hint);
		free(hint);
		r = -1;
	}
	buf_free(&all);
	free(names);
	return r;
}

int options_fill(struct loader *l, const struct option_table *t, const struct node *map, void *out)
{
	int r = 0;
	if (map && node_is_null(map))
		map = NULL;
	if (map && map->kind != NODE_MAP)
		return loader_wrong_kind(l, map, t->who, "'key: value' lines");
	if (map && check_keys(l, t, map) < 0)
		r = -1;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].offset != OPTION_NO_FIELD && fill_one(l, t, &t->v[i], map, out) < 0)
			r = -1;
	return r;
}

static void free_const(const void *p)
{
	free((void *)(uintptr_t)p);
}

static void free_expr(const patchbay_expr *expr)
{
	expr_free((patchbay_expr *)(uintptr_t)expr);
}

static void free_strs(patchbay_strs *strs)
{
	for (size_t i = 0; i < strs->n; i++) {
		patchbay_str s = strs->v[i];
		secret_free(&s);
	}
	free_const(strs->v);
	*strs = (patchbay_strs){ NULL, 0 };
}

static void free_list(const patchbay_option *option, patchbay_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		options_free(option->fields, option->n_fields, (char *)(uintptr_t)list->v + i * option->fields_size);
	free_const(list->v);
	*list = (patchbay_list){ NULL, 0 };
}

static void free_strs_expr(patchbay_strs_expr *either)
{
	free_strs(&either->strs);
	free_expr(either->expr);
	either->expr = NULL;
}

static void free_fields(patchbay_fields *fields)
{
	for (size_t i = 0; i < fields->n; i++) {
		free_const(fields->v[i].name.p);
		free_expr(fields->v[i].expr);
	}
	free_const(fields->v);
	*fields = (patchbay_fields){ NULL, 0 };
}

void option_free(const patchbay_option *option, void *field)
{
	switch (option->type) {
	case PATCHBAY_T_STR:
		secret_free(field); /* what is no secret is wiped all the same */
		break;
	case PATCHBAY_T_STRS:
		free_strs(field);
		break;
	case PATCHBAY_T_CIDRS:
		free_const(((patchbay_cidrs *)field)->v);
		*(patchbay_cidrs *)field = (patchbay_cidrs){ NULL, 0 };
		break;
	case PATCHBAY_T_EXPR:
	case PATCHBAY_T_TEXT:
		free_expr(*(const patchbay_expr **)field);
		*(const patchbay_expr **)field = NULL;
		break;
	case PATCHBAY_T_FIELDS:
		free_fields(field);
		break;
	case PATCHBAY_T_MAP:
		options_free(option->fields, option->n_fields, *(void **)field);
		free(*(void **)field);
		*(void **)field = NULL;
		break;
	case PATCHBAY_T_LIST:
		free_list(option, field);
		break;
	case PATCHBAY_T_STRS_EXPR:
		free_strs_expr(field);
		break;
	default: /* nothing is allocated for it */
		break;
	}
}

void options_free(const patchbay_option *table, size_t n, void *out)
{
	for (size_t i = 0; out && i < n; i++)
		if (table[i].offset != OPTION_NO_FIELD)
			option_free(&table[i], field_of(&table[i], out));
}
