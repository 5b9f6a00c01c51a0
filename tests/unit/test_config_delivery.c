/* test_config_delivery.c - the options that every sink has, what secrets are called, and loading without them. */
#include "config_rig.h"

#include <ctype.h>

struct outlet {
	patchbay_str url;
	patchbay_strs keys;
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_STR, url, .flags = PATCHBAY_F_SECRET),
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_STRS, keys, .flags = PATCHBAY_F_SECRET),
};
#define SINK_OF(...)                                                                                                   \
	{                                                                                                              \
		.size = sizeof(patchbay_sink), .n_options = COUNT(options), .options = options,                        \
		.options_size = sizeof(struct outlet), __VA_ARGS__                                                     \
	}
static const patchbay_sink plain_sink = SINK_OF(.batch_events = 20),
			   wide_sink = SINK_OF(.rate = "20/min", .concurrency_max = 4),
			   hasty_sink = SINK_OF(.rate = "fast");
static const patchbay_source tap_source = { .size = sizeof(patchbay_source),
					    .n_options = COUNT(options),
					    .options = options,
					    .options_size = sizeof(struct outlet) };
static const patchbay_plugin plain = { .size = sizeof(plain), .name = "plain", .sink = &plain_sink };
static const patchbay_plugin wide = { .size = sizeof(wide), .name = "wide", .sink = &wide_sink };
static const patchbay_plugin hasty = { .size = sizeof(hasty), .name = "hasty", .sink = &hasty_sink };
static const patchbay_plugin tap = { .size = sizeof(tap), .name = "tap", .source = &tap_source };
static const patchbay_plugin *const plugins[] = { &plain, &wide, &hasty, &tap, NULL };

/* The sink's options are in line 5. */
#define SINK(plugin, rest)                                                                                             \
	"listen: 127.0.0.1:0\n"                                                                                        \
	"journal: /tmp\n"                                                                                              \
	"routes: [{to: out}]\n"                                                                                        \
	"sinks:\n"                                                                                                     \
	"  out: {plugin: " plugin rest "}\n"

static void defaults_are_the_plugins(void **state)
{
	(void)state;
	struct config *c = rig_good(SINK("plain", ""));
	assert_int_equal(c->sinks[0].rate_count, 0);
	assert_int_equal(c->sinks[0].rate_ms, 0);
	assert_int_equal(c->sinks[0].concurrency, 1);
	assert_false(c->sinks[0].order_subject);
	assert_int_equal(c->sinks[0].batch_events, 20);
	config_free(c);
	c = rig_good(SINK("wide", ""));
	assert_int_equal(c->sinks[0].rate_count, 20);
	assert_int_equal(c->sinks[0].rate_ms, 60000);
	assert_int_equal(c->sinks[0].concurrency, 1);
	config_free(c);
	rig_says(SINK("hasty", ""),
		 "routes.yaml:5:3: plugin hasty declares a wrong default for 'rate': 'fast' is not a "
		 "rate; write it as 50/s, 20/min or 500/h (1 to 1000000), or off");
}

static void the_file_overrules_them(void **state)
{
	(void)state;
	struct config *c = rig_good(SINK("wide", ", rate: 500/h, concurrency: 4, order: subject"));
	assert_int_equal(c->sinks[0].rate_count, 500);
	assert_int_equal(c->sinks[0].rate_ms, 3600000);
	assert_int_equal(c->sinks[0].concurrency, 4);
	assert_true(c->sinks[0].order_subject);
	config_free(c);
	c = rig_good(SINK("wide", ", rate: off, order: none"));
	assert_int_equal(c->sinks[0].rate_count, 0);
	assert_false(c->sinks[0].order_subject);
	config_free(c);
	c = rig_good(SINK("hasty", ", rate: 1/s, concurrency: 1, retry: {initial: 5s}"));
	assert_int_equal(c->sinks[0].rate_count, 1);
	assert_int_equal(c->sinks[0].retry.initial_ms, 5000);
	assert_int_equal(c->sinks[0].retry.give_up_ms, 72 * 3600000);
	config_free(c);
}

static void says_how_to_write_them(void **state)
{
	static const char *const bad[] = {
		"50", "0/s", "-1/s", "50/d", "1.5/s", "1000001/s", "50/", "/s", "s", "50 /s"
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char *yaml = xasprintf(SINK("plain", ", rate: %s"), bad[i]);
		char *expected = xasprintf("routes.yaml:5:30: 'rate': '%s' is not a rate; write it as 50/s, 20/min or "
					   "500/h (1 to 1000000), or off",
					   bad[i]);
		rig_says(yaml, expected);
		free(expected);
		free(yaml);
	}
	rig_says(SINK("plain", ", concurrency: 2"),
		 "routes.yaml:5:37: 'concurrency': plugin plain takes one call at a time; remove 'concurrency'");
	rig_says(SINK("wide", ", concurrency: 5"),
		 "routes.yaml:5:36: 'concurrency': plugin wide takes at most 4 calls at a time; write 1 to 4");
	rig_says(SINK("wide", ", concurrency: 0"),
		 "routes.yaml:5:36: 'concurrency': 0 is out of range; write 1 to 256");
	rig_says(SINK("wide", ", order: subjects, rate: [1/s]"),
		 "routes.yaml:5:30: 'order': there is no 'subjects'; did you mean 'subject'?\n"
		 "routes.yaml:5:46: 'rate': must be one value, not a list");
	rig_says(SINK("wide", ", ordre: subject"),
		 "routes.yaml:5:23: unknown key 'ordre' in sink 'out'; did you mean 'order'?");
}

#define SECRETS                                                                                                        \
	"listen: 127.0.0.1:0\n"                                                                                        \
	"journal: /tmp\n"                                                                                              \
	"sources:\n"                                                                                                   \
	"  in:\n"                                                                                                      \
	"    plugin: tap\n"                                                                                            \
	"    path_secret: [{env: RIG_PATH}, literal-one]\n"                                                            \
	"    keys: [{credential: one}, {file: /nowhere/two}]\n"                                                        \
	"sinks:\n"                                                                                                     \
	"  out:\n"                                                                                                     \
	"    plugin: plain\n"                                                                                          \
	"    url: {env: RIG_URL}\n"                                                                                    \
	"routes: [{to: out}]\n"

static void assert_secret(const struct config_secrets *secrets, size_t i, const char *option, size_t index,
			  const char *name)
{
	assert_true(i < secrets->n);
	assert_string_equal(secrets->v[i].option, option);
	assert_int_equal(secrets->v[i].index, index);
	assert_string_equal(secrets->v[i].name, name);
}

static void assert_names(const struct config *c)
{
	const struct config_secrets *in = &c->sources[0].secrets, *out = &c->sinks[0].secrets;
	assert_secret(in, 0, "path_secret", 0, "env RIG_PATH");
	assert_secret(in, 1, "path_secret", 1, "written in routes.yaml");
	assert_secret(in, 2, "keys", 0, "credential one");
	assert_secret(in, 3, "keys", 1, "file /nowhere/two");
	assert_int_equal(in->n, 4);
	assert_secret(out, 0, "url", 0, "env RIG_URL");
	assert_int_equal(out->n, 1);
}

static void names_are_known_without_the_secrets(void **state)
{
	char *said;
	(void)state;
	unsetenv("RIG_PATH");
	unsetenv("RIG_URL");
	struct config *c = rig_load(config_load_for_looking, SECRETS, &said);
	assert_non_null(c);
	assert_string_equal(said, "");
	assert_names(c);
	config_free(c);
	free(said);
	c = rig_load(config_load, SECRETS, &said);
	assert_null(c);
	free(said);
}

static void made_up_where_they_cannot_be_read(void **state)
{
	char *said;
	(void)state;
	setenv("RIG_PATH", "a-real-one", 1);
	struct config *c = rig_load(config_load_for_testing, SECRETS, &said);
	assert_non_null(c);
	assert_names(c);
	const struct outlet *in = c->sources[0].options, *out = c->sinks[0].options;
	assert_str(c->sources[0].path_secret.v[0], "a-real-one");
	assert_str(c->sources[0].path_secret.v[1], "literal-one");
	assert_int_equal(in->keys.n, 2);
	assert_false(str_eq(in->keys.v[0], in->keys.v[1]));
	for (size_t i = 0; i < 2; i++) { /* fit for plugins that want base64 */
		assert_int_equal(in->keys.v[i].n % 4, 0);
		for (size_t k = 0; k < in->keys.v[i].n; k++)
			assert_true(isalnum((unsigned char)in->keys.v[i].p[k]));
	}
	assert_true(str_starts(out->url, STR("https://")));
	config_free(c);
	free(said);

	/* Where it matters to the plugin: a warning if we made it up, a fault if it is the user's own. */
	c = rig_load(config_load_for_testing, SINK("plain", ", url: unfit"), &said);
	assert_null(c);
	assert_non_null(strstr(said, "routes.yaml:5:3: sink 'out': it is not fit"));
	free(said);
	c = rig_load(config_load_for_testing, SINK("plain", ", url: unfit, keys: {env: RIG_UNSET}"), &said);
	assert_non_null(c);
	assert_non_null(strstr(said, "routes.yaml:5:3: warning: sink 'out': it is not fit"));
	config_free(c);
	free(said);
	c = rig_load(config_load_for_testing, SINK("plain", ", rate: fast"), &said);
	assert_null(c);
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_plugins),
		cmocka_unit_test(the_file_overrules_them),
		cmocka_unit_test(says_how_to_write_them),
		cmocka_unit_test(names_are_known_without_the_secrets),
		cmocka_unit_test(made_up_where_they_cannot_be_read),
	};
	rig_plugins = plugins;
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
