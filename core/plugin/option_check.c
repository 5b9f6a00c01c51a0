/* option_check.c - the host writes into the plugin's options struct wherever its table says, so the table
 * must be sound: every field inside the struct, aligned, and none across another. */
#include "plugin/option_check.h"

#include "base/mem.h"
#include "base/sized.h"
#include "base/str.h"
#include "config/config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 256
#define OPTION_SIZE_MAX 4096
#define STRUCT_SIZE_MAX 65536
#define DEPTH_MAX 2 /* tables below the one at the top */
#define NAME_MAX_BYTES 64
#define OPTION_1_0 SIZED_END(patchbay_option, fields_size)

static const struct {
	size_t size, align;
} fields[] = {
	[PATCHBAY_T_BOOL] = { sizeof(bool), _Alignof(bool) },
	[PATCHBAY_T_INT] = { sizeof(int64_t), _Alignof(int64_t) },
	[PATCHBAY_T_REAL] = { sizeof(double), _Alignof(double) },
	[PATCHBAY_T_STR] = { sizeof(patchbay_str), _Alignof(patchbay_str) },
	[PATCHBAY_T_STRS] = { sizeof(patchbay_strs), _Alignof(patchbay_strs) },
	[PATCHBAY_T_ENUM] = { sizeof(int64_t), _Alignof(int64_t) },
	[PATCHBAY_T_MS] = { sizeof(int64_t), _Alignof(int64_t) },
	[PATCHBAY_T_BYTES] = { sizeof(int64_t), _Alignof(int64_t) },
	[PATCHBAY_T_CIDRS] = { sizeof(patchbay_cidrs), _Alignof(patchbay_cidrs) },
	[PATCHBAY_T_EXPR] = { sizeof(void *), _Alignof(void *) },
	[PATCHBAY_T_TEXT] = { sizeof(void *), _Alignof(void *) },
	[PATCHBAY_T_FIELDS] = { sizeof(patchbay_fields), _Alignof(patchbay_fields) },
	[PATCHBAY_T_MAP] = { sizeof(void *), _Alignof(void *) },
	[PATCHBAY_T_LIST] = { sizeof(patchbay_list), _Alignof(patchbay_list) },
	[PATCHBAY_T_STRS_EXPR] = { sizeof(patchbay_strs_expr), _Alignof(patchbay_strs_expr) },
};
#define N_TYPES (sizeof(fields) / sizeof(fields[0]))

/* The table that is read, as messages call it. */
struct place {
	const char *side;   /* "source", "sink" */
	const char *prefix; /* of the names of nested options: "", "api." */
	int depth;
};

static bool name_ok(const char *s)
{
	size_t n = strnlen(s, NAME_MAX_BYTES + 1);

	if (n == 0 || n > NAME_MAX_BYTES || s[0] < 'a' || s[0] > 'z')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") >= n;
}

static bool is_hosts_own(const char *side, const char *name)
{
	bool sink = strcmp(side, "sink") == 0;
	const patchbay_option *common = sink ? config_sink_options : config_source_options;
	size_t n = sink ? config_n_sink_options : config_n_source_options_1_0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(common[i].name, name) == 0)
			return true;
	return false;
}

static bool is_nested(uint32_t type)
{
	return type == PATCHBAY_T_MAP || type == PATCHBAY_T_LIST;
}

/* Says what is wrong with an option that has a name. */
__attribute__((format(printf, 4, 5))) static int wrong(const struct place *at, const char *name, struct err *err,
						       const char *fmt, ...)
{
	char *sentence = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&sentence, fmt, ap) < 0)
		abort();
	va_end(ap);
	err_set(err, "option '%s%s' of its %s %s", at->prefix, name, at->side, sentence);
	free(sentence);
	return -1;
}

static int check_flags(const struct place *at, const patchbay_option *o, struct err *err)
{
	const uint32_t known_flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET | PATCHBAY_F_PATH;
	bool text = o->type == PATCHBAY_T_STR || o->type == PATCHBAY_T_STRS;

	if (o->flags & ~known_flags)
		return wrong(at, o->name, err,
			     "has flags 0x%x, which this patchbay does not know; install a newer patchbay",
			     o->flags & ~known_flags);
	if ((o->flags & PATCHBAY_F_SECRET) && !text)
		return wrong(at, o->name, err, "is a secret, but no STR or STRS");
	if ((o->flags & PATCHBAY_F_PATH) && !text)
		return wrong(at, o->name, err, "is a path, but no STR or STRS");
	if ((o->flags & PATCHBAY_F_REQUIRED) && o->def)
		return wrong(at, o->name, err, "is required and has a default; it can only be one of the two");
	return 0;
}

static int check_one(const struct place *at, const patchbay_option *o, uint32_t options_size, struct err *err)
{
	if (!o->name || !name_ok(o->name))
		return err_set(
			err,
			"an option of its %s has no proper name: lower-case letters, digits and '_', a letter first",
			at->side);
	if (at->depth == 0 && is_hosts_own(at->side, o->name))
		return wrong(at, o->name, err, "has the name of an option that every %s has; rename it", at->side);
	if (o->type == 0 || o->type >= N_TYPES)
		return wrong(at, o->name, err,
			     "is of type %u, which this patchbay does not know; install a newer patchbay", o->type);
	if (check_flags(at, o, err) != 0)
		return -1;
	if (o->offset > options_size || fields[o->type].size > options_size - o->offset)
		return wrong(at, o->name, err, "lies outside of the options struct (offset %u, struct %u bytes)",
			     o->offset, options_size);
	if (o->offset % fields[o->type].align || (at->depth > 0 && options_size % fields[o->type].align))
		return wrong(at, o->name, err, "is not aligned (offset %u, struct %u bytes)", o->offset, options_size);
	if (o->type == PATCHBAY_T_ENUM && (!o->one_of || !o->one_of[0]))
		return wrong(at, o->name, err, "is an ENUM without one_of");
	if (is_nested(o->type) && (!o->fields || o->n_fields == 0 || o->fields_size == 0))
		return wrong(at, o->name, err, "is a MAP or LIST without fields, n_fields and fields_size");
	if (is_nested(o->type) && at->depth == DEPTH_MAX)
		return wrong(at, o->name, err, "is nested too deeply: at most %d tables below the first", DEPTH_MAX);
	if (o->min > o->max)
		return wrong(at, o->name, err,
			     "has a minimum above its maximum (%" PRId64 " to %" PRId64
			     "); give both, or neither: only where both are 0 nothing is bounded",
			     o->min, o->max);
	return 0;
}

static int check_pair(const struct place *at, const patchbay_option *a, const patchbay_option *b, struct err *err)
{
	if (strcmp(a->name, b->name) == 0)
		return err_set(err, "its %s has two options named '%s%s'", at->side, at->prefix, a->name);
	if (a->offset < b->offset + fields[b->type].size && b->offset < a->offset + fields[a->type].size)
		return err_set(err, "options '%s%s' and '%s%s' of its %s lie over each other", at->prefix, a->name,
			       at->prefix, b->name, at->side);
	return 0;
}

static int copy_table(const struct place *at, const patchbay_option *theirs, uint32_t n, uint32_t options_size,
		      patchbay_option **ret, struct err *err);

static int copy_nested(const struct place *at, patchbay_option *ours, struct err *err)
{
	char *prefix = xasprintf("%s%s.", at->prefix, ours->name);
	struct place inner = { at->side, prefix, at->depth + 1 };
	patchbay_option *nested = NULL;
	int r = copy_table(&inner, ours->fields, ours->n_fields, ours->fields_size, &nested, err);

	ours->fields = nested;
	free(prefix);
	return r;
}

/* One option as we know it, checked. What stands in `ours` afterwards is safe to be freed. */
static int copy_one(const struct place *at, const patchbay_option *theirs, uint32_t i, uint32_t options_size,
		    patchbay_option *ours, struct err *err)
{
	size_t step = theirs->size;
	memcpy(ours, (const char *)theirs + i * step, step < sizeof(*ours) ? step : sizeof(*ours));
	if (ours->size != step)
		err_set(err, "option %u of its %s says that it is %u bytes long, the first one %zu", i + 1, at->side,
			ours->size, step);
	else if (check_one(at, ours, options_size, err) == 0)
		return is_nested(ours->type) ? copy_nested(at, ours, err) : 0;
	ours->type = 0;
	return -1;
}

static int copy_table(const struct place *at, const patchbay_option *theirs, uint32_t n, uint32_t options_size,
		      patchbay_option **ret, struct err *err)
{
	*ret = NULL;
	if (options_size > STRUCT_SIZE_MAX)
		return err_set(err, "the options %sof its %s take %u bytes; at most %d", at->prefix, at->side,
			       options_size, STRUCT_SIZE_MAX);
	if (n == 0)
		return 0;
	if (!theirs || n > OPTIONS_MAX)
		return err_set(err, "its %s says that it has %u options, but %s", at->side, n,
			       theirs ? "more than 256 are not believed" : "does not list them");
	size_t step = theirs->size;
	if (step < OPTION_1_0 || step > OPTION_SIZE_MAX || step % _Alignof(patchbay_option))
		return err_set(err,
			       "the first option of its %s says that it is %zu bytes long, but version 1.0 has %zu; "
			       "set .size = sizeof(patchbay_option)",
			       at->side, step, OPTION_1_0);
	patchbay_option *ours = xcalloc(n, sizeof(*ours));
	uint32_t done = 0;
	int r = 0;
	for (; r == 0 && done < n; done++) {
		r = copy_one(at, theirs, done, options_size, &ours[done], err);
		ours[done].size = sizeof(*ours);
		for (uint32_t k = 0; r == 0 && k < done; k++)
			r = check_pair(at, &ours[k], &ours[done], err);
	}
	if (r == 0)
		*ret = ours;
	else
		options_copy_free(ours, done);
	return r;
}

int options_copy(const char *side, const patchbay_option *theirs, uint32_t n, uint32_t options_size,
		 patchbay_option **ret, struct err *err)
{
	return copy_table(&(struct place){ .side = side, .prefix = "" }, theirs, n, options_size, ret, err);
}

void options_copy_free(patchbay_option *ours, uint32_t n)
{
	for (uint32_t i = 0; ours && i < n; i++)
		if (is_nested(ours[i].type))
			options_copy_free((patchbay_option *)(uintptr_t)ours[i].fields, ours[i].n_fields);
	free(ours);
}
