#include "plugin/table.h"

#include "base/sized.h"

#include "plugins/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	(void)self;
	(void)call;
	(void)events;
	(void)n;
	(void)results;
	(void)checkpoint;
}

/* A sound plugin with both sides, of which each test spoils one thing. */
static struct {
	patchbay_plugin plugin;
	patchbay_source source;
	patchbay_sink sink;
	patchbay_provider provider;
	patchbay_option options[3];
} it;

struct options {
	bool on;
	int64_t number;
	patchbay_str text;
};

static int setup(void **state)
{
	(void)state;
	it.options[0] = (patchbay_option)PATCHBAY_OPTION(struct options, PATCHBAY_T_BOOL, on, .def = "true");
	it.options[1] = (patchbay_option)PATCHBAY_OPTION(struct options, PATCHBAY_T_INT, number, .min = 1, .max = 9);
	it.options[2] =
		(patchbay_option)PATCHBAY_OPTION(struct options, PATCHBAY_T_STR, text, .flags = PATCHBAY_F_SECRET);
	it.provider = (patchbay_provider){ .size = sizeof(it.provider), .answer_ms = 5000 };
	it.source = (patchbay_source)FIXTURE_SOURCE;
	it.source.provider = &it.provider;
	it.source.options = it.options;
	it.source.n_options = 3;
	it.source.options_size = sizeof(struct options);
	it.sink = (patchbay_sink){
		.size = sizeof(it.sink), .create = fixture_create, .destroy = fixture_destroy, .act = act
	};
	it.plugin = (patchbay_plugin){
		.size = sizeof(it.plugin), .name = "it", .version = "1", .source = &it.source, .sink = &it.sink
	};
	return 0;
}

static void assert_refused(const char *why)
{
	struct err err;
	struct table *t = table_create(&it.plugin, sizeof(it.plugin), &err);

	assert_null(t);
	if (!strstr(err.text, why))
		fail_msg("'%s' lacks '%s'", err.text, why);
}

static void assert_accepted(void)
{
	struct err err = { "" };
	struct table *t = table_create(&it.plugin, sizeof(it.plugin), &err);

	if (!t)
		fail_msg("%s", err.text);
	table_destroy(t);
}

static void test_a_sound_plugin_is_copied(void **state)
{
	struct err err;
	(void)state;

	struct table *t = table_create(&it.plugin, sizeof(it.plugin), &err);
	if (!t)
		fail_msg("%s", err.text);
	memset(it.options, 0, sizeof(it.options)); /* nothing is looked up in theirs any more */
	assert_ptr_equal(t->plugin.source, &t->source);
	assert_ptr_equal(t->plugin.sink, &t->sink);
	assert_string_equal(t->plugin.source->options[1].name, "number");
	assert_int_equal(t->plugin.source->provider->answer_ms, 5000);
	assert_null(t->plugin.sink->options);
	assert_string_equal(t->plugin.license, "");
	table_destroy(t);
	table_destroy(NULL);
}

static void test_one_side_is_enough_but_none_is_not(void **state)
{
	struct err err;
	(void)state;

	it.plugin.source = NULL;
	struct table *t = table_create(&it.plugin, sizeof(it.plugin), &err);
	assert_null(t->plugin.source);
	table_destroy(t);
	it.plugin.sink = NULL;
	assert_refused("neither a source nor a sink");
}

static void test_each_required_function_is_named_when_missing(void **state)
{
	(void)state;
	it.source.create = NULL;
	assert_refused("its source lacks create()");
	setup(state);
	it.source.destroy = NULL;
	assert_refused("its source lacks destroy()");
	setup(state);
	it.source.verify = NULL;
	assert_refused("its source lacks verify()");
	setup(state);
	it.source.parse = NULL;
	assert_refused("its source lacks parse()");
	setup(state);
	it.sink.create = NULL;
	assert_refused("its sink lacks create()");
	setup(state);
	it.sink.destroy = NULL;
	assert_refused("its sink lacks destroy()");
	setup(state);
	it.sink.act = NULL;
	assert_refused("its sink lacks act()");
}

static void assert_taken(void)
{
	struct err err = { "" };
	struct table *t = table_create(&it.plugin, sizeof(it.plugin), &err);

	if (!t)
		fail_msg("%s", err.text);
	table_destroy(t);
}

static void set_size_of_options(uint32_t size)
{
	for (size_t i = 0; i < 3; i++)
		it.options[i].size = size;
}

/* Every size below what version 1.0 has, and that itself. */
static void test_structs_shorter_than_version_1_0_are_refused(void **state)
{
	const struct {
		uint32_t *size, whole;
		const char *why;
	} table[] = {
		{ &it.plugin.size, SIZED_END(patchbay_plugin, sink), "its patchbay_plugin_v1 says that it is" },
		{ &it.source.size, SIZED_END(patchbay_source, extension), "its source says that it is" },
		{ &it.sink.size, SIZED_END(patchbay_sink, extension), "its sink says that it is" },
		{ &it.provider.size, SIZED_END(patchbay_provider, docs_url), "its provider says that it is" },
	};
	uint32_t option = SIZED_END(patchbay_option, fields_size);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (uint32_t size = 0; size < table[i].whole; size++) {
			*table[i].size = size;
			assert_refused(table[i].why);
		}
		*table[i].size = table[i].whole;
		assert_taken();
		setup(state);
	}
	for (uint32_t size = 0; size < option; size++) {
		set_size_of_options(size);
		assert_refused("the first option of its source says that it is");
	}
	if (option == sizeof(patchbay_option)) { /* else the array here is not that of such a plugin */
		set_size_of_options(option);
		assert_taken();
	}
	set_size_of_options(4104);
	assert_refused("the first option of its source says that it is 4104 bytes long");
	setup(state);
	it.options[2].size += 8;
	assert_refused("option 3 of its source says");
	setup(state);
	it.plugin.size += 8;
	assert_refused("bytes long, but is");
}

static void test_names_have_rules(void **state)
{
	static const char *const bad[] = { "",
					   "A",
					   "9lives",
					   "-x",
					   "with_underscore",
					   "with space",
					   "caf\xc3\xa9",
					   "a23456789012345678901234567890123" };
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		it.plugin.name = bad[i];
		assert_refused("its name must be");
	}
	it.plugin.name = NULL;
	assert_refused("its name must be");
	setup(state);
	it.plugin.summary = "two\nlines";
	assert_refused("longer than one line");
}

static void test_options_must_lie_inside_the_struct_and_apart(void **state)
{
	(void)state;
	it.options[1].offset = sizeof(struct options);
	assert_refused("option 'number' of its source lies outside");
	it.options[1].offset = UINT32_MAX - 3;
	assert_refused("lies outside");
	it.options[1].offset = 12;
	assert_refused("option 'number' of its source is not aligned");
	it.options[1].offset = 24;
	assert_refused("options 'number' and 'text' of its source lie over each other");
	setup(state);
	it.source.options_size = 8;
	assert_refused("lies outside");
	it.source.options_size = 1 << 20;
	assert_refused("take 1048576 bytes");
	setup(state);
	it.source.options = NULL;
	assert_refused("does not list them");
	setup(state);
	it.source.n_options = 100000;
	assert_refused("more than 256");
}

static void test_options_must_make_sense(void **state)
{
	static const char *const none[] = { NULL };
	(void)state;

	it.options[2].name = "on";
	assert_refused("two options named 'on'");
	it.options[2].name = "Text";
	assert_refused("no proper name");
	it.options[2].name = NULL;
	assert_refused("no proper name");
	it.options[2].name = "plugin";
	assert_refused("option 'plugin' of its source has the name of an option that every source has");
	it.options[2].name = "path_secret";
	assert_refused("option 'path_secret' of its source has the name of an option that every source has");
	it.options[2].name = "silence"; /* that is younger than the interface */
	assert_accepted();
	setup(state);
	it.options[0].type = 99;
	assert_refused("option 'on' of its source is of type 99");
	it.options[0].type = 0;
	assert_refused("is of type 0");
	setup(state);
	it.options[0].flags = 64;
	assert_refused("has flags 0x40");
	it.options[0].flags = PATCHBAY_F_SECRET;
	assert_refused("option 'on' of its source is a secret");
	it.options[0].flags = PATCHBAY_F_REQUIRED;
	assert_refused("is required and has a default");
	setup(state);
	it.options[1].type = PATCHBAY_T_ENUM;
	assert_refused("option 'number' of its source is an ENUM without one_of");
	it.options[1].one_of = none;
	assert_refused("ENUM without one_of");
	setup(state);
	it.options[1].min = 10;
	assert_refused("minimum above its maximum");
}

struct inner {
	int64_t depth;
};

static void test_nested_tables_are_checked_and_copied(void **state)
{
	struct err err;
	patchbay_option deepest[] = { PATCHBAY_OPTION(struct inner, PATCHBAY_T_INT, depth, .def = "3") };
	patchbay_option inner[] = { { .size = sizeof(patchbay_option),
				      .type = PATCHBAY_T_LIST,
				      .name = "hops",
				      .fields = deepest,
				      .n_fields = 1,
				      .fields_size = sizeof(struct inner) } };
	patchbay_option *outer = &it.options[2];
	(void)state;

	*outer = (patchbay_option){ .size = sizeof(*outer),
				    .type = PATCHBAY_T_MAP,
				    .name = "api",
				    .offset = offsetof(struct options, text),
				    .fields = inner,
				    .n_fields = 1,
				    .fields_size = sizeof(patchbay_list) };
	struct table *t = table_create(&it.plugin, sizeof(it.plugin), &err);
	if (!t)
		fail_msg("%s", err.text);
	deepest[0].name = "gone";
	assert_string_equal(t->source_options[2].fields[0].fields[0].name, "depth");
	table_destroy(t);

	deepest[0].name = "Depth";
	assert_refused("no proper name");
	deepest[0].name = "depth";
	deepest[0].offset = 8;
	assert_refused("option 'api.hops.depth' of its source lies outside");
	deepest[0].offset = 0;
	inner[0].fields_size = 12;
	assert_refused("option 'api.hops.depth' of its source is not aligned");
	inner[0].fields_size = 0;
	assert_refused("option 'api.hops' of its source is a MAP or LIST without fields");
	inner[0].fields_size = 8;
	inner[0].flags = PATCHBAY_F_SECRET;
	assert_refused("option 'api.hops' of its source is a secret, but no STR or STRS");
	inner[0].flags = 0;
	outer->n_fields = 0;
	assert_refused("option 'api' of its source is a MAP or LIST without fields");
	outer->n_fields = 1;
	patchbay_option below = deepest[0];
	deepest[0] = inner[0];
	inner[0].fields_size = 16;
	deepest[0].fields = &below;
	assert_refused("option 'api.hops.hops' of its source is nested too deeply: at most 2 tables below the first");
	outer->fields = outer; /* without an end */
	outer->fields_size = sizeof(struct options);
	assert_refused("nested too deeply");
	outer->name = "plugin"; /* deeper down, the host's names are free */
	assert_refused("option 'plugin' of its source has the name");
}

static void test_counts_without_lists_are_refused(void **state)
{
	(void)state;
	it.provider.n_retry = 2;
	assert_refused("does not list them");
	setup(state);
	it.provider.n_ok = 2;
	assert_refused("does not list them");
	it.provider.n_retry = 0;
	it.provider.n_ok = 0;
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	(void)fixture_table;
	const struct CMUnitTest tests[] = {
		TEST(test_a_sound_plugin_is_copied),
		TEST(test_one_side_is_enough_but_none_is_not),
		TEST(test_each_required_function_is_named_when_missing),
		TEST(test_structs_shorter_than_version_1_0_are_refused),
		TEST(test_names_have_rules),
		TEST(test_options_must_lie_inside_the_struct_and_apart),
		TEST(test_options_must_make_sense),
		TEST(test_nested_tables_are_checked_and_copied),
		TEST(test_counts_without_lists_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
