/* config_rig.h - loads a text as routes.yaml in a folder of its own, with a plugin or two that a test brings. */
#ifndef TESTS_CONFIG_RIG_H
#define TESTS_CONFIG_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"
#include "temp_dir.h"

#include <patchbay/sugar.h>

#include <stdio.h>
#include <stdlib.h>

static char *rig_dir;
static const patchbay_plugin *const *rig_plugins; /* NULL-terminated; every test file has its own */

static int rig_setup(void **state)
{
	(void)state;
	rig_dir = temp_dir_make();
	return chdir(rig_dir);
}

static int rig_teardown(void **state)
{
	(void)state;
	int r = chdir("/");
	temp_dir_remove(rig_dir);
	return r;
}

static void rig_search(void *ctx, patchbay_strs dirs)
{
	(void)ctx;
	(void)dirs;
}

static const patchbay_plugin *rig_find(void *ctx, const char *name, struct err *err)
{
	(void)ctx;
	for (size_t i = 0; rig_plugins[i]; i++)
		if (strcmp(rig_plugins[i]->name, name) == 0)
			return rig_plugins[i];
	err_set(err, "there is no plugin '%s'", name);
	return NULL;
}

/* What a plugin's check() is for: "wrong" where the first option, a text, is not fit. */
static int rig_check(void *ctx, const patchbay_plugin *plugin, bool sink, const void *options, struct err *err)
{
	(void)ctx;
	const patchbay_option *o = sink ? plugin->sink->options : NULL;
	if (!o || o->type != PATCHBAY_T_STR)
		return 0;
	const patchbay_str *text = (const void *)((const char *)options + o->offset);
	return str_is(*text, "unfit") || str_starts(*text, STR("madeXup")) ? err_set(err, "it is not fit") : 0;
}

static void rig_write(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, 0600), 0);
}

typedef struct config *rig_how(const char *, const struct config_plugins *, struct config_faults *);

/* *ret_said: all faults, one a line; the caller frees. */
static struct config *rig_load(rig_how *how, const char *yaml, char **ret_said)
{
	const struct config_plugins plugins = { NULL, rig_search, rig_find, rig_check };
	struct config_faults faults;
	struct buf all = { 0 };
	rig_write("routes.yaml", yaml);
	struct config *c = how("routes.yaml", &plugins, &faults);
	for (size_t i = 0; i < faults.n; i++)
		buf_addf(&all, "%s%s", i ? "\n" : "", faults.v[i].text);
	*ret_said = xstrdup(buf_cstr(&all));
	buf_free(&all);
	config_faults_free(&faults);
	return c;
}

static inline struct config *rig_good(const char *yaml)
{
	char *said;
	struct config *c = rig_load(config_load, yaml, &said);
	if (!c || *said)
		fail_msg("%s", said);
	free(said);
	return c;
}

/* What ends with "..." goes on as it likes. */
static inline void rig_says(const char *yaml, const char *expected)
{
	size_t n = strlen(expected);
	bool cut = n > 3 && strcmp(expected + n - 3, "...") == 0;
	char *said;
	struct config *c = rig_load(config_load, yaml, &said);
	if (cut ? strncmp(said, expected, n - 3) : strcmp(said, expected))
		fail_msg("\n--- expected\n%s\n--- got\n%s", expected, said);
	assert_null(c);
	free(said);
}

static inline void assert_str(patchbay_str got, const char *expected)
{
	if (!str_is(got, expected))
		fail_msg("'%.*s' instead of '%s'", STR_ARG(got), expected);
}

#endif
