/* test_value_tables.c - options that are mappings, lists of them, or strings or a program. */
#include "config_rig.h"

#include "expr/expr.h"

struct limit {
	int64_t most;
};

struct api {
	patchbay_str url, token;
	patchbay_strs keys;
	int64_t pages;
	const struct limit *limit;
};

struct hop {
	patchbay_str name;
	const patchbay_expr *when;
};

struct outlet {
	const struct api *api;
	patchbay_list hops, apis;
	patchbay_strs_expr to, cc;
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
static const patchbay_option limit_options[] = {
	PATCHBAY_OPTION(struct limit, PATCHBAY_T_INT, most, .def = "9", .min = 1, .max = 99),
};
static const patchbay_option api_options[] = {
	PATCHBAY_OPTION(struct api, PATCHBAY_T_STR, url, .flags = PATCHBAY_F_REQUIRED, .help = "where it is"),
	PATCHBAY_OPTION(struct api, PATCHBAY_T_STR, token, .flags = PATCHBAY_F_SECRET),
	PATCHBAY_OPTION(struct api, PATCHBAY_T_STRS, keys, .flags = PATCHBAY_F_SECRET),
	PATCHBAY_OPTION(struct api, PATCHBAY_T_INT, pages, .def = "3"),
	PATCHBAY_OPTION(struct api, PATCHBAY_T_MAP, limit, .def = "{most: 5}", .fields = limit_options,
			.n_fields = COUNT(limit_options), .fields_size = sizeof(struct limit)),
};
static const patchbay_option hop_options[] = {
	PATCHBAY_OPTION(struct hop, PATCHBAY_T_STR, name, .flags = PATCHBAY_F_REQUIRED),
	PATCHBAY_OPTION(struct hop, PATCHBAY_T_EXPR, when, .def = ".data"),
};
static const patchbay_option outlet_options[] = {
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_MAP, api, .fields = api_options, .n_fields = COUNT(api_options),
			.fields_size = sizeof(struct api)),
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_LIST, hops, .fields = hop_options, .n_fields = COUNT(hop_options),
			.fields_size = sizeof(struct hop), .min = 1, .max = 2),
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_LIST, apis, .fields = api_options, .n_fields = COUNT(api_options),
			.fields_size = sizeof(struct api)),
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_STRS_EXPR, to, .max = 3),
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_STRS_EXPR, cc, .def = "[a, b]"),
};
static const patchbay_sink outlet_sink = { .size = sizeof(patchbay_sink),
					   .n_options = COUNT(outlet_options),
					   .options = outlet_options,
					   .options_size = sizeof(struct outlet) };
static const patchbay_plugin outlet_plugin = { .size = sizeof(patchbay_plugin),
					       .name = "outlet",
					       .sink = &outlet_sink };

static const patchbay_option wrong_fields[] = {
	PATCHBAY_OPTION(struct limit, PATCHBAY_T_INT, most, .def = "lots"),
};
static const patchbay_option wrong_options[] = {
	PATCHBAY_OPTION(struct outlet, PATCHBAY_T_MAP, api, .fields = wrong_fields, .n_fields = 1,
			.fields_size = sizeof(struct limit)),
};
static const patchbay_sink wrong_sink = {
	.size = sizeof(patchbay_sink), .n_options = 1, .options = wrong_options, .options_size = sizeof(struct outlet)
};
static const patchbay_plugin wrong_plugin = { .size = sizeof(patchbay_plugin), .name = "wrong", .sink = &wrong_sink };

static const patchbay_plugin *const plugins[] = { &outlet_plugin, &wrong_plugin, NULL };

/* Options of the sink from line 6 on. */
#define SINK(lines)                                                                                                    \
	"listen: 127.0.0.1:0\n"                                                                                        \
	"journal: /tmp\n"                                                                                              \
	"routes: [{to: out}]\n"                                                                                        \
	"sinks:\n"                                                                                                     \
	"  out: {plugin: outlet,\n" lines "  }\n"

static const struct outlet *options(const struct config *c)
{
	return c->sinks[0].options;
}

static void a_table_that_is_not_there_is_null(void **state)
{
	(void)state;
	struct config *c = rig_good(SINK(""));
	assert_null(options(c)->api);
	assert_int_equal(options(c)->hops.n, 0);
	assert_int_equal(options(c)->to.strs.n, 0);
	assert_null(options(c)->to.expr);
	assert_int_equal(options(c)->cc.strs.n, 2);
	config_free(c);
}

static void tables_are_filled_in_with_their_defaults(void **state)
{
	(void)state;
	struct config *c = rig_good(SINK("    api: {url: here},\n"
					 "    apis: [{url: a, pages: 7, limit: {}}, {url: b, limit: {most: 8}}],\n"
					 "    hops: {name: only, when: .id},\n"));
	assert_str(options(c)->api->url, "here");
	assert_int_equal(options(c)->api->pages, 3);
	assert_int_equal(options(c)->api->limit->most, 5); /* the table's default, not its option's */
	assert_int_equal(options(c)->apis.n, 2);
	const struct api *apis = options(c)->apis.v;
	assert_int_equal(apis[0].pages, 7);
	assert_int_equal(apis[0].limit->most, 9);
	assert_str(apis[1].url, "b");
	assert_int_equal(apis[1].limit->most, 8);
	const struct hop *hops = options(c)->hops.v;
	assert_int_equal(options(c)->hops.n, 1);
	assert_str(hops[0].name, "only");
	assert_str(expr_source(hops[0].when), ".id");
	config_free(c);
}

static void faults_stand_where_they_are(void **state)
{
	(void)state;
	rig_says(SINK("    api: {ulr: x,\n"
		      "      pages: many, limit: {most: 100, lest: 1}},\n"),
		 "routes.yaml:6:5: 'api' needs 'url': where it is\n"
		 "routes.yaml:6:11: unknown key 'ulr' in 'api'; did you mean 'url'?\n"
		 "routes.yaml:7:14: 'pages': 'many' is not a whole number\n"
		 "routes.yaml:7:34: 'most': 100 is out of range; write 1 to 99\n"
		 "routes.yaml:7:39: unknown key 'lest' in 'limit'; did you mean 'most'?");
	rig_says(SINK("    api: x,\n"
		      "    hops: [{name: a}, b, {}],\n"
		      "    apis: x,\n"),
		 "routes.yaml:6:10: 'api': must be 'key: value' lines, not a single value\n"
		 "routes.yaml:7:11: 'hops': has 3 entries; it takes 1 to 2\n"
		 "routes.yaml:8:11: 'apis': must be a list of 'key: value' entries, not a single value");
	rig_says(SINK("    hops: [b, {when: '.a |'}],\n"),
		 "routes.yaml:6:12: 'hops': an entry must be 'key: value' lines, not a single value\n"
		 "routes.yaml:6:15: entry 2 of 'hops' needs 'name': it has no default\n"
		 "routes.yaml:6:22: 'when': not a valid jq program: ...");
	rig_says("listen: 127.0.0.1:0\njournal: /tmp\nroutes: [{to: a}]\nsinks: {a: {plugin: wrong, api: {}}}\n",
		 "routes.yaml:4:28: plugin wrong declares a wrong default for 'most': 'most': 'lots' is not a whole "
		 "number");
}

static void strings_or_a_program(void **state)
{
	(void)state;
	struct config *c = rig_good(SINK("    to: a@example.org,\n    cc: .data.mail,\n"));
	assert_str(options(c)->to.strs.v[0], "a@example.org");
	assert_null(options(c)->to.expr);
	assert_int_equal(options(c)->cc.strs.n, 0);
	assert_str(expr_source(options(c)->cc.expr), ".data.mail");
	config_free(c);
	static const char *const programs[] = { "' .a'", "'(.a)'", "'[.a, .b]'", "'\"x\" + .type'" };
	for (size_t i = 0; i < COUNT(programs); i++) {
		char *yaml = xasprintf(SINK("    to: %s,\n"), programs[i]);
		c = rig_good(yaml);
		assert_non_null(options(c)->to.expr);
		config_free(c);
		free(yaml);
	}
	c = rig_good(SINK("    to: [.a, 'b'],\n")); /* in a list they are strings */
	assert_null(options(c)->to.expr);
	assert_str(options(c)->to.strs.v[0], ".a");
	config_free(c);
	rig_says(SINK("    to: [a, b, c, d],\n    cc: .data |\n"),
		 "routes.yaml:6:9: 'to': has 4 entries; it takes 0 to 3\n"
		 "routes.yaml:7:9: 'cc': not a valid jq program: ...");
}

static void secrets_inside_have_names(void **state)
{
	(void)state;
	setenv("RIG_TOKEN", "1234567890", 1);
	rig_write("old.key", "0987654321\n");
	struct config *c = rig_good(SINK("    api: {url: x, token: {env: RIG_TOKEN}},\n"
					 "    apis: [{url: y, token: {file: old.key}},\n"
					 "      {url: z, keys: [{env: RIG_TOKEN}, {file: ./old.key}]}],\n"));
	assert_str(options(c)->api->token, "1234567890");
	const struct api *apis = options(c)->apis.v;
	assert_str(apis[0].token, "0987654321");
	assert_str(apis[1].keys.v[1], "0987654321");
	char *file = xasprintf("file %s/old.key", rig_dir);
	static const struct {
		const char *option;
		size_t index;
		bool file;
	} expected[] = { { "token", 0, false }, { "token", 1, true }, { "keys", 0, false }, { "keys", 1, true } };
	const struct config_secrets *got = &c->sinks[0].secrets;
	assert_int_equal(got->n, COUNT(expected));
	for (size_t i = 0; i < got->n; i++) {
		assert_string_equal(got->v[i].option, expected[i].option);
		assert_int_equal(got->v[i].index, expected[i].index);
		assert_string_equal(got->v[i].name, expected[i].file ? file : "env RIG_TOKEN");
	}
	free(file);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_that_is_not_there_is_null),
		cmocka_unit_test(tables_are_filled_in_with_their_defaults),
		cmocka_unit_test(faults_stand_where_they_are),
		cmocka_unit_test(strings_or_a_program),
		cmocka_unit_test(secrets_inside_have_names),
	};
	rig_plugins = plugins;
	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
