/* test_yaml.c - the tree of a YAML text: kinds, texts and, above all, places. What is refused is in test_config.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/yaml.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct config_faults found;
static struct faults faults = { .path = "x.yaml", .list = &found };

static struct node *parse(patchbay_str text)
{
	struct node *root = yaml_parse(text, &faults);
	if (!root || found.n)
		fail_msg("%s", found.n ? found.v[0].text : "no tree, and no fault");
	return root;
}

static void assert_place(const struct node *node, int line, int column)
{
	assert_non_null(node);
	assert_int_equal(node->line, line);
	assert_int_equal(node->column, column);
}

static void knows_the_place_of_keys_and_values(void **state)
{
	(void)state;
	struct node *root = parse(STR("# first\n"
				      "a: 1\n"
				      "b:\n"
				      "  - x\n"
				      "  -   {c: [d, 'e']}\n"
				      "\xc3\xbc\xc3\xbc: v\n"));
	const struct node *b = node_get(root, "b");
	assert_place(node_get(root, "a"), 2, 4);
	assert_int_equal(node_get(root, "a")->key_line, 2);
	assert_place(b, 4, 3);
	assert_int_equal(b->key_line, 3);
	assert_place(&b->items[0], 4, 5);
	assert_place(&b->items[1], 5, 7);
	const struct node *c = node_get(&b->items[1], "c");
	assert_int_equal(c->key_column, 8);
	assert_place(c, 5, 11);
	assert_place(&c->items[1], 5, 15);
	assert_true(c->items[1].quoted);
	assert_false(c->items[0].quoted);
	assert_place(node_get(root, "\xc3\xbc\xc3\xbc"), 6, 5); /* characters, not bytes */
	assert_null(node_get(root, "none"));
	assert_null(node_get(b, "none"));
	node_free(root);
}

static void keeps_texts_as_they_are(void **state)
{
	(void)state;
	struct node *root = parse(STR("a: 007\nb: \"x\\0y\\n\"\nc: |\n  two\n  lines\nd:\ne: ~\nf: 'null'\ng: null\n"));
	assert_true(str_is(node_get(root, "a")->text, "007"));
	assert_int_equal(node_get(root, "b")->text.n, 4);
	assert_memory_equal(node_get(root, "b")->text.p, "x\0y\n", 5);
	assert_true(str_is(node_get(root, "c")->text, "two\nlines\n"));
	assert_true(node_get(root, "c")->quoted);
	assert_true(node_is_null(node_get(root, "d")));
	assert_true(node_is_null(node_get(root, "e")));
	assert_false(node_is_null(node_get(root, "f")));
	assert_true(node_is_null(node_get(root, "g")));
	node_free(root);
}

static void takes_a_byte_order_mark_and_windows_lines(void **state)
{
	(void)state;
	struct node *root = parse(STR("\xef\xbb\xbf"
				      "a: 1\r\nb: 2\r\n"));
	assert_place(node_get(root, "a"), 1, 4);
	assert_place(node_get(root, "b"), 2, 4);
	assert_true(str_is(node_get(root, "b")->text, "2"));
	node_free(root);
}

static void takes_the_deepest_nesting_there_may_be(void **state)
{
	char text[2 * YAML_DEPTH_MAX];
	(void)state;
	memset(text, '[', YAML_DEPTH_MAX);
	memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	node_free(parse((patchbay_str){ text, sizeof(text) }));
}

static void refuses_more_entries_than_anyone_needs(void **state)
{
	struct buf text = { 0 };
	(void)state;
	for (int i = 0; i <= YAML_ITEMS_MAX; i++)
		buf_addf(&text, "k%d: 1\n", i);
	assert_null(yaml_parse(buf_str(&text), &faults));
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].text,
			    "x.yaml:10001:1: more than 10000 entries here; a configuration of this size is "
			    "not supported");
	config_faults_free(&found);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_place_of_keys_and_values),
		cmocka_unit_test(keeps_texts_as_they_are),
		cmocka_unit_test(takes_a_byte_order_mark_and_windows_lines),
		cmocka_unit_test(takes_the_deepest_nesting_there_may_be),
		cmocka_unit_test(refuses_more_entries_than_anyone_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
