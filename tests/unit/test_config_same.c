/* What counts as a change of a source or sink, and what does not: option by option. */
#include "config_rig.h"

struct inner {
	int64_t size;
	patchbay_str name;
};

struct thing {
	bool on;
	int64_t count, mode, wait, room;
	double ratio;
	patchbay_str text, secret;
	patchbay_strs words;
	patchbay_cidrs nets;
	const patchbay_expr *pick, *say;
	patchbay_fields columns;
	const struct inner *one;
	patchbay_list many;
	patchbay_strs_expr to;
};

static const char *const modes[] = { "plain", "fancy", NULL };
static const patchbay_option inner_options[] = {
	PATCHBAY_OPTION(struct inner, PATCHBAY_T_INT, size, .def = "1"),
	PATCHBAY_OPTION(struct inner, PATCHBAY_T_STR, name, .help = ""),
};
#define THING(kind, field, ...) PATCHBAY_OPTION(struct thing, kind, field, __VA_ARGS__)
#define INNER .fields = inner_options, .n_fields = 2, .fields_size = sizeof(struct inner)
static const patchbay_option options[] = {
	THING(PATCHBAY_T_STR, text, .def = "hello"),
	THING(PATCHBAY_T_BOOL, on, .def = "true"),
	THING(PATCHBAY_T_INT, count, .def = "7"),
	THING(PATCHBAY_T_REAL, ratio, .def = "0.5"),
	THING(PATCHBAY_T_STR, secret, .flags = PATCHBAY_F_SECRET),
	THING(PATCHBAY_T_STRS, words, .help = ""),
	THING(PATCHBAY_T_ENUM, mode, .def = "plain", .one_of = modes),
	THING(PATCHBAY_T_MS, wait, .def = "2s"),
	THING(PATCHBAY_T_BYTES, room, .def = "1M"),
	THING(PATCHBAY_T_CIDRS, nets, .def = "[192.0.2.1]"),
	THING(PATCHBAY_T_EXPR, pick, .def = ".data.id"),
	THING(PATCHBAY_T_TEXT, say, .help = ""),
	THING(PATCHBAY_T_FIELDS, columns, .def = "[id, what: .type]"),
	THING(PATCHBAY_T_MAP, one, INNER),
	THING(PATCHBAY_T_LIST, many, INNER),
	THING(PATCHBAY_T_STRS_EXPR, to, .def = "a"),
};
#define SIDE .n_options = sizeof(options) / sizeof(*options), .options = options, .options_size = sizeof(struct thing)
static const patchbay_sink sink = { .size = sizeof sink, SIDE, .concurrency_max = 8 };
static const patchbay_source source = { .size = sizeof source, SIDE };
static const patchbay_plugin thing = { .size = sizeof thing, .name = "thing", .sink = &sink, .source = &source };
static const patchbay_plugin other = { .size = sizeof other, .name = "other", .sink = &sink, .source = &source };
static const patchbay_plugin *const plugins[] = { &thing, &other, NULL };

/* With these lines among the keys of the source and of the sink. */
static struct config *with(const char *plugin, const char *lines)
{
	char yaml[1024];
	char *said;
	snprintf(yaml, sizeof yaml,
		 "listen: 127.0.0.1:1\njournal: /tmp/j\nsources:\n  s: {plugin: %s, path_secret: {file: path}, "
		 "%s}\nsinks:\n"
		 "  s: {plugin: %s, %s}\n",
		 plugin, lines, plugin, lines);
	struct config *c = rig_load(config_load, yaml, &said);
	if (!c)
		fail_msg("%s", said);
	free(said);
	return c;
}

static void assert_same(const struct config *a, const struct config *b, bool same)
{
	assert_int_equal(config_source_same(&a->sources[0], &b->sources[0]), same);
	assert_int_equal(config_sink_same(&a->sinks[0], &b->sinks[0]), same);
}

static int setup(void **state)
{
	rig_plugins = plugins;
	int r = rig_setup(state);
	rig_write("key", "a key\n");
	rig_write("key2", "a key\n");
	rig_write("path", "12345678\n");
	return r;
}

static void every_option_counts(void **state)
{
	static const char *const changes[] = {
		"text: bye",
		"on: false",
		"count: 8",
		"ratio: 0.25",
		"secret: {file: key}",
		"words: [a]",
		"words: [a, b]",
		"mode: fancy",
		"wait: 3s",
		"room: 2M",
		"nets: [192.0.2.1, 192.0.2.2]",
		"nets: [192.0.2.0/31]",
		"nets: [192.0.2.3]",
		"pick: .data.number",
		"say: 'x'",
		"say: 'y'",
		"columns: [id]",
		"columns: [id, what: .kind]",
		"columns: [id, which: .type]",
		"one: {}",
		"one: {size: 2}",
		"one: {name: x}",
		"many: {}",
		"many: [{size: 1}, {size: 2}]",
		"many: [{size: 1}, {size: 3}]",
		"to: b",
		"to: [a, b]",
		"to: .data.a",
		"to: .data.b",
	};
	enum { N = sizeof changes / sizeof *changes };
	struct config *all[N + 1];
	(void)state;
	for (size_t i = 0; i < N; i++)
		all[i] = with("thing", changes[i]);
	all[N] = with("thing", "");
	for (size_t i = 0; i <= N; i++)
		for (size_t k = 0; k <= N; k++)
			assert_same(all[i], all[k], i == k);
	for (size_t i = 0; i < N; i++) {
		struct config *again = with("thing", changes[i]);
		assert_same(all[i], again, true);
		config_free(again);
	}
	for (size_t i = 0; i <= N; i++)
		config_free(all[i]);
}

static void how_it_is_written_does_not_count(void **state)
{
	struct config *a = with("thing", "words: a, one: {size: 1}, wait: 2000ms"),
		      *b = with("thing", "wait: 2s, 'text': \"hello\", one: {}, words: [a] # so\n   ");
	(void)state;
	assert_same(a, b, true);
	config_free(a);
	config_free(b);
}

static void another_build_of_the_plugin_counts(void **state)
{
	struct config *a = with("thing", ""), *b = with("other", "");
	(void)state;
	assert_same(a, b, false);
	config_free(a);
	config_free(b);
}

static void a_secret_counts_by_its_content_and_its_place(void **state)
{
	struct config *a = with("thing", "secret: {file: key}"), *elsewhere = with("thing", "secret: {file: key2}");
	(void)state;
	assert_same(a, elsewhere, false); /* the same content: but the log calls it by its place */
	rig_write("key", "another\n");
	struct config *b = with("thing", "secret: {file: key}");
	assert_same(a, b, false);
	rig_write("path", "87654321\n");
	struct config *c = with("thing", "secret: {file: key}");
	assert_false(config_source_same(&b->sources[0], &c->sources[0]));
	assert_true(config_sink_same(&b->sinks[0], &c->sinks[0]));
	config_free(a);
	config_free(b);
	config_free(c);
	config_free(elsewhere);
}

static void the_options_of_every_sink_count(void **state)
{
	static const char *const changes[] = {
		"",
		"retry: [1s]",
		"retry: [1s, 2s]",
		"retry: [2s]",
		"retry: {initial: 2s}",
		"retry: {factor: 3}",
		"retry: {max: 2h}",
		"retry: {give_up: 2h}",
		"timeout: 2s",
		"batch: {events: 2}",
		"batch: {bytes: 2K}",
		"batch: {linger: 1s}",
		"rate: 1/s",
		"rate: 1/min",
		"concurrency: 2",
		"order: subject",
	};
	enum { N = sizeof changes / sizeof *changes };
	struct config *all[N];
	char yaml[256], *said;
	(void)state;
	for (size_t i = 0; i < N; i++) {
		snprintf(yaml, sizeof yaml, "listen: 127.0.0.1:1\njournal: /tmp/j\nsinks:\n  s: {plugin: thing, %s}\n",
			 changes[i]);
		all[i] = rig_load(config_load, yaml, &said);
		if (!all[i])
			fail_msg("%s", said);
		free(said);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < N; k++)
			assert_int_equal(config_sink_same(&all[i]->sinks[0], &all[k]->sinks[0]), i == k);
	for (size_t i = 0; i < N; i++)
		config_free(all[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_option_counts, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(how_it_is_written_does_not_count, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(another_build_of_the_plugin_counts, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_secret_counts_by_its_content_and_its_place, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_options_of_every_sink_count, setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
