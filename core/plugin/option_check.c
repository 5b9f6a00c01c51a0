/* option_check.c - the host writes into the plugin's options struct wherever its table says, so the table
 * must be sound: every field inside the struct, aligned, and none across another. */
#include "plugin/option_check.h"

#include "base/mem.h"
#include "base/str.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 256
#define OPTION_SIZE_MAX 4096
#define STRUCT_SIZE_MAX 65536
#define NAME_MAX_BYTES 64
#define OPTION_1_0 (offsetof(patchbay_option, max) + sizeof(((patchbay_option *)0)->max))

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
};
#define N_TYPES (sizeof(fields) / sizeof(fields[0]))

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
	size_t n = sink ? config_n_sink_options : config_n_source_options;

	for (size_t i = 0; i < n; i++)
		if (strcmp(common[i].name, name) == 0)
			return true;
	return false;
}

static int check_one(const char *side, const patchbay_option *o, uint32_t options_size, struct err *err)
{
	const uint32_t known_flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET | PATCHBAY_F_PATH;

	if (!o->name || !name_ok(o->name))
		return err_set(
			err,
			"an option of its %s has no proper name: lower-case letters, digits and '_', a letter first",
			side);
	if (is_hosts_own(side, o->name))
		return err_set(err, "option '%s' of its %s has the name of an option that every %s has; rename it",
			       o->name, side, side);
	if (o->type == 0 || o->type >= N_TYPES)
		return err_set(err, "option '%s' of its %s is of type %u, which this patchbay does not know", o->name,
			       side, o->type);
	if (o->flags & ~known_flags)
		return err_set(err, "option '%s' of its %s has flags 0x%x, which this patchbay does not know", o->name,
			       side, o->flags & ~known_flags);
	if (o->offset > options_size || fields[o->type].size > options_size - o->offset)
		return err_set(err,
			       "option '%s' of its %s lies outside of the options struct (offset %u, struct %u bytes)",
			       o->name, side, o->offset, options_size);
	if (o->offset % fields[o->type].align)
		return err_set(err, "option '%s' of its %s is not aligned (offset %u)", o->name, side, o->offset);
	if (o->type == PATCHBAY_T_ENUM && (!o->one_of || !o->one_of[0]))
		return err_set(err, "option '%s' of its %s is an ENUM without one_of", o->name, side);
	if ((o->flags & PATCHBAY_F_SECRET) && o->type != PATCHBAY_T_STR && o->type != PATCHBAY_T_STRS)
		return err_set(err, "option '%s' of its %s is a secret, but no STR or STRS", o->name, side);
	if ((o->flags & PATCHBAY_F_PATH) && o->type != PATCHBAY_T_STR && o->type != PATCHBAY_T_STRS)
		return err_set(err, "option '%s' of its %s is a path, but no STR or STRS", o->name, side);
	if ((o->flags & PATCHBAY_F_REQUIRED) && o->def)
		return err_set(err,
			       "option '%s' of its %s is required and has a default; it can only be one of the two",
			       o->name, side);
	if (o->min > o->max)
		return err_set(err, "option '%s' of its %s has a minimum above its maximum", o->name, side);
	return 0;
}

static int check_pair(const char *side, const patchbay_option *a, const patchbay_option *b, struct err *err)
{
	if (strcmp(a->name, b->name) == 0)
		return err_set(err, "its %s has two options named '%s'", side, a->name);
	if (a->offset < b->offset + fields[b->type].size && b->offset < a->offset + fields[a->type].size)
		return err_set(err, "options '%s' and '%s' of its %s lie over each other", a->name, b->name, side);
	return 0;
}

int options_copy(const char *side, const patchbay_option *theirs, uint32_t n, uint32_t options_size,
		 patchbay_option **ret, struct err *err)
{
	patchbay_option *ours;

	*ret = NULL;
	if (options_size > STRUCT_SIZE_MAX)
		return err_set(err, "the options of its %s take %u bytes; at most %d", side, options_size,
			       STRUCT_SIZE_MAX);
	if (n == 0)
		return 0;
	if (!theirs || n > OPTIONS_MAX)
		return err_set(err, "its %s says that it has %u options, but %s", side, n,
			       theirs ? "more than 256 are not believed" : "does not list them");
	size_t step = theirs->size;
	if (step < OPTION_1_0 || step > OPTION_SIZE_MAX || step % _Alignof(patchbay_option))
		return err_set(err,
			       "the first option of its %s says that it is %zu bytes long, but version 1.0 has %zu; "
			       "set .size = sizeof(patchbay_option)",
			       side, step, OPTION_1_0);
	ours = xcalloc(n, sizeof(*ours));
	for (uint32_t i = 0; i < n; i++) {
		memcpy(&ours[i], (const char *)theirs + i * step, step < sizeof(*ours) ? step : sizeof(*ours));
		if (ours[i].size != step) {
			err_set(err, "option %u of its %s says that it is %u bytes long, the first one %zu", i + 1,
				side, ours[i].size, step);
			goto bad;
		}
		ours[i].size = sizeof(*ours);
		if (check_one(side, &ours[i], options_size, err) != 0)
			goto bad;
		for (uint32_t k = 0; k < i; k++)
			if (check_pair(side, &ours[k], &ours[i], err) != 0)
				goto bad;
	}
	*ret = ours;
	return 0;
bad:
	free(ours);
	return -1;
}
