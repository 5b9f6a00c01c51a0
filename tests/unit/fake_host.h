/* fake_host.h - for the tests of plugins: loads the real one, and finds its options by their names; what of a host is
 * the same under every test. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "base/call.h"
#include "base/mem.h"
#include "base/str.h"
#include "expr/expr.h"
#include "plugin/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOON_NS (INT64_C(1763812800) * 1000000000) /* 2025-11-22T12:00:00Z */

/* Of the tree that is being tested. It lives as long as its registry. */
static inline const patchbay_plugin *load_plugin(const char *name, struct registry **ret)
{
	static const patchbay_str dir = { PLUGIN_DIR, sizeof(PLUGIN_DIR) - 1 };
	struct err err = { "" };

	*ret = registry_create();
	registry_search(*ret, (patchbay_strs){ &dir, 1 });
	const patchbay_plugin *plugin = registry_find(*ret, name, &err);
	if (!plugin)
		fail_msg("%s", err.text);
	return plugin;
}

static inline const patchbay_option *find_option(const patchbay_option *table, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	fail_msg("no option '%s'", name);
	return NULL;
}

/* Where an option's value is. */
static inline void *option_in(const patchbay_option *table, uint32_t n, void *options, const char *name)
{
	return (char *)options + find_option(table, n, name)->offset;
}

static inline void *sink_option(const patchbay_plugin *plugin, void *options, const char *name)
{
	return option_in(plugin->sink->options, plugin->sink->n_options, options, name);
}

/* It must be right. */
static inline patchbay_expr *compile(enum expr_form form, const char *text)
{
	struct err err = { "" };
	patchbay_expr *expr = expr_compile(form, str_c(text), &err);

	if (!expr)
		fail_msg("%s", err.text);
	return expr;
}

/* ---- For a patchbay_host of the test's own */

static inline void fake_explain(patchbay_call *call, patchbay_str why)
{
	call_explain(call, "%.*s", STR_ARG(why));
}

static inline void *fake_alloc(patchbay_call *call, size_t n)
{
	return arena_alloc(&call->arena, n);
}

#endif
