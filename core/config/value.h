/* value.h - what the readers of single values, lists and nested tables share. Each reads the value of one option into
 * its field, and returns -1 when a fault was reported; what was allocated until then is in the field. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/options.h"
#include "expr/expr.h"

/* The option whose value is read, and where messages about it point to. */
struct value {
	struct loader *l;
	const patchbay_option *option;
	const struct node *node;
};

/* Reports "'option': ..." at the node. Returns -1. */
int value_wrong(const struct value *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int value_need_scalar(const struct value *); /* one value, of whatever spelling */
bool value_in_range(const patchbay_option *, double);
patchbay_str value_copy(patchbay_str); /* NUL-terminated */
int value_read_str(const struct value *, patchbay_str *field);
int value_read_expr(const struct value *, enum expr_form, const patchbay_expr **field);

/* value_lists.c */
size_t value_count(const struct node *); /* one value is a list of one */
const struct node *value_item(const struct node *, size_t i);
int value_check_count(const struct value *); /* no mapping, and as long as the option allows */
int value_read_strs(const struct value *, patchbay_strs *field);
int value_read_cidrs(const struct value *, patchbay_cidrs *field);
int value_read_fields(const struct value *, patchbay_fields *field);
int value_read_strs_expr(const struct value *, patchbay_strs_expr *field);

/* value_tables.c */
int value_read_map(const struct value *, const void **field);
int value_read_list(const struct value *, patchbay_list *field);

#endif
