/* config_fake.h - a source and a sink whose options are of every type, for the tests of the configuration. */
#ifndef TESTS_CONFIG_FAKE_H
#define TESTS_CONFIG_FAKE_H

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

#include <patchbay/sugar.h>

struct probe {
	patchbay_str key;
	patchbay_strs keys;
	patchbay_cidrs allow;
	int64_t depth;
};

struct drain {
	bool on;
	int64_t count, mode, wait, room;
	double ratio;
	patchbay_str text;
	patchbay_strs words;
	patchbay_cidrs nets;
	const patchbay_expr *pick, *say;
	patchbay_fields columns;
};

static const char *const fake_modes[] = { "plain", "fancy", "quiet", NULL };

#define PROBE(kind, field, ...) PATCHBAY_OPTION(struct probe, kind, field, __VA_ARGS__)
static const patchbay_option probe_options[] = {
	PROBE(PATCHBAY_T_STR, key, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET,
	      .help = "the key that signs requests"),
	PROBE(PATCHBAY_T_STRS, keys, .flags = PATCHBAY_F_SECRET, .max = 2),
	PROBE(PATCHBAY_T_CIDRS, allow, .def = "[192.0.2.1, '2001:db8::/32']"),
	PROBE(PATCHBAY_T_INT, depth, .def = "3"),
};

#define DRAIN(kind, field, ...) PATCHBAY_OPTION(struct drain, kind, field, __VA_ARGS__)
static const patchbay_option drain_options[] = {
	DRAIN(PATCHBAY_T_BOOL, on, .def = "true"),
	DRAIN(PATCHBAY_T_INT, count, .def = "7", .min = 1, .max = 100),
	DRAIN(PATCHBAY_T_REAL, ratio, .def = "0.5", .min = 0, .max = 1),
	DRAIN(PATCHBAY_T_STR, text, .def = "hello"),
	DRAIN(PATCHBAY_T_STRS, words, .min = 1, .max = 3),
	DRAIN(PATCHBAY_T_ENUM, mode, .def = "plain", .one_of = fake_modes),
	DRAIN(PATCHBAY_T_MS, wait, .def = "2s", .min = 100, .max = 3600000),
	DRAIN(PATCHBAY_T_BYTES, room, .def = "1M", .min = 1024),
	DRAIN(PATCHBAY_T_CIDRS, nets, .max = 0),
	DRAIN(PATCHBAY_T_EXPR, pick, .def = ".data.id"),
	DRAIN(PATCHBAY_T_TEXT, say, .def = "'\\(.type)!'"),
	DRAIN(PATCHBAY_T_FIELDS, columns, .def = "[id, what: .type]"),
};

static const patchbay_source probe_source = {
	.size = sizeof(patchbay_source),
	.n_options = sizeof(probe_options) / sizeof(*probe_options),
	.options = probe_options,
	.options_size = sizeof(struct probe),
};
static const patchbay_sink drain_sink = {
	.size = sizeof(patchbay_sink),
	.n_options = sizeof(drain_options) / sizeof(*drain_options),
	.options = drain_options,
	.options_size = sizeof(struct drain),
	.batch_events = 20,
	.batch_linger_ms = 5,
};
static const patchbay_plugin probe_plugin = { .size = sizeof(patchbay_plugin),
					      .name = "probe",
					      .source = &probe_source };
static const patchbay_plugin drain_plugin = { .size = sizeof(patchbay_plugin), .name = "drain", .sink = &drain_sink };

/* A default that does not fit its option: the table of a plugin that needs mending. */
static const patchbay_option broken_options[] = {
	{ .size = sizeof(patchbay_option), .type = PATCHBAY_T_INT, .name = "num", .def = "three" },
};
static const patchbay_sink broken_sink = {
	.size = sizeof(patchbay_sink),
	.n_options = 1,
	.options = broken_options,
	.options_size = 8,
};
/* One that is older than the option `silence` of every source, and has one of its own. */
static const patchbay_option quiet_options[] = {
	{ .size = sizeof(patchbay_option), .type = PATCHBAY_T_INT, .name = "silence", .def = "3" },
};
static const patchbay_source quiet_source = {
	.size = sizeof(patchbay_source),
	.n_options = 1,
	.options = quiet_options,
	.options_size = 8,
};
static const patchbay_plugin quiet_plugin = { .size = sizeof(patchbay_plugin),
					      .name = "quiet",
					      .source = &quiet_source };
static const patchbay_plugin broken_plugin = { .size = sizeof(patchbay_plugin),
					       .name = "broken",
					       .sink = &broken_sink };

static void fake_search(void *ctx, patchbay_strs dirs)
{
	(void)ctx;
	(void)dirs;
}

static const patchbay_plugin *fake_find(void *ctx, const char *name, struct err *err)
{
	static const patchbay_plugin *const all[] = { &probe_plugin, &drain_plugin, &broken_plugin, &quiet_plugin };
	(void)ctx;
	for (size_t i = 0; i < 4; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	err_set(err, "there is no plugin '%s'", name);
	return NULL;
}

static int fake_check(void *ctx, const patchbay_plugin *plugin, bool sink, const void *options, struct err *err)
{
	(void)ctx;
	if (plugin != &drain_plugin || !sink)
		return 0;
	int64_t count = ((const struct drain *)options)->count;
	if (count == 13)
		return err_set(err, "'count' of 13 brings bad luck; take 14");
	if (count == 12)
		err_set(err, "12 is close to 13");
	return 0;
}

static const struct config_plugins fake_plugins = { NULL, fake_search, fake_find, fake_check };

#endif
