/* `log`: what it may say, and that it counts even where the rest of the file is no good. */
#include "config_rig.h"

static const patchbay_sink sink = { .size = sizeof sink };
static const patchbay_plugin acme = { .size = sizeof acme, .name = "acme", .sink = &sink },
			     desk = { .size = sizeof desk, .name = "desk", .sink = &sink };
static const patchbay_plugin *const plugins[] = { &acme, &desk, NULL };

#define FILE_WITH(log) "listen: 127.0.0.1:0\njournal: /tmp\nsinks: {out: {plugin: acme}}\nroutes: [{to: out}]\n" log

static void says_how_to_log(void **state)
{
	(void)state;
	struct config *c = rig_good(FILE_WITH(""));
	assert_int_equal(c->log.format, LOG_LOGFMT);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_int_equal(c->log.n_plugins, 0);
	config_free(c);
	c = rig_good(FILE_WITH("log:\n  plugins:\n"));
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_int_equal(c->log.n_plugins, 0);
	config_free(c);
	c = rig_good(FILE_WITH("log: {format: json, level: warning, plugins: {desk: debug, acme: error}}\n"));
	assert_int_equal(c->log.format, LOG_JSON);
	assert_int_equal(c->log.level, LOG_LEVEL_WARNING);
	assert_int_equal(c->log.n_plugins, 2);
	assert_string_equal(c->log.plugins[0].name, "desk");
	assert_int_equal(c->log.plugins[0].level, LOG_LEVEL_DEBUG);
	assert_string_equal(c->log.plugins[1].name, "acme");
	assert_int_equal(c->log.plugins[1].level, LOG_LEVEL_ERROR);
	config_free(c);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	rig_says(FILE_WITH("log: json\n"), "routes.yaml:5:6: 'log' must be 'key: value' lines, not a single value");
	rig_says(FILE_WITH("log:\n  formt: json\n  format: jsno\n  level: verbose\n"),
		 "routes.yaml:6:3: unknown key 'formt' in 'log'; did you mean 'format'?\n"
		 "routes.yaml:7:11: 'format': there is no 'jsno'; did you mean 'json'?\n"
		 "routes.yaml:8:10: 'level': there is no 'verbose'; write one of: error, warning, info, debug");
	rig_says(FILE_WITH("log:\n  plugins: [desk]\n"),
		 "routes.yaml:6:12: 'plugins' in 'log' must be 'NAME: level' lines, not a list");
	rig_says(FILE_WITH("log:\n  plugins:\n    dsk: debug\n    desk: chatty\n    acme: {}\n"),
		 "routes.yaml:7:5: 'log': there is no plugin 'dsk'\n"
		 "routes.yaml:8:11: 'desk': there is no 'chatty'; write one of: error, warning, info, debug\n"
		 "routes.yaml:9:11: 'acme': must be one value, not a mapping");
	rig_says(FILE_WITH("log:\n  plugins:\n    desk: info\n    desk: debug\n"),
		 "routes.yaml:8:5: key 'desk' is here a second time, ...");
}

static void counts_whatever_is_wrong_with_the_rest(void **state)
{
	struct log_settings settings;
	(void)state;
	rig_write("routes.yaml", "listn: x\nlog: {format: json, level: loud, plugins: {gone: debug}}\nsinks: 7\n");
	config_log("routes.yaml", &settings);
	assert_int_equal(settings.format, LOG_JSON);
	assert_int_equal(settings.level, LOG_LEVEL_INFO);
	assert_int_equal(settings.n_plugins, 1);
	assert_string_equal(settings.plugins[0].name, "gone");
	config_log_free(&settings);
	rig_write("routes.yaml", "[");
	config_log("routes.yaml", &settings);
	assert_int_equal(settings.format, LOG_LOGFMT);
	assert_int_equal(settings.level, LOG_LEVEL_INFO);
	config_log_free(&settings);
	config_log("nowhere.yaml", &settings);
	assert_int_equal(settings.level, LOG_LEVEL_INFO);
	config_log_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_how_to_log),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(counts_whatever_is_wrong_with_the_rest),
	};
	rig_plugins = plugins;
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
