/* yaml.c - YAML text to a tree of nodes, by libyaml's events, with strict rules of our own. */
#include "config/yaml.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

struct parse {
	yaml_parser_t yaml;
	struct faults *faults;
};

/* What must never be seen again is wiped before it is freed: any text here may be a secret. */
static void wipe_str(patchbay_str *s)
{
	void *p = (void *)(uintptr_t)s->p;
	if (p)
		explicit_bzero(p, s->n);
	free(p);
	*s = (patchbay_str){ NULL, 0 };
}

static void node_clear(struct node *node)
{
	for (size_t i = 0; i < node->n; i++)
		node_clear(&node->items[i]);
	free(node->items);
	wipe_str(&node->text);
	wipe_str(&node->key);
	*node = (struct node){ 0 };
}

void node_free(struct node *node)
{
	if (!node)
		return;
	node_clear(node);
	free(node);
}

static void event_done(yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT && event->data.scalar.value)
		explicit_bzero(event->data.scalar.value, event->data.scalar.length);
	yaml_event_delete(event);
}

static void say_syntax(struct parse *p)
{
	const yaml_parser_t *y = &p->yaml;
	const yaml_mark_t *at = &y->problem_mark;
	const char *problem = y->problem ? y->problem : "unknown problem";

	if (y->error == YAML_READER_ERROR) {
		fault_error(p->faults, 0, 0, "cannot be read as YAML: %s at byte %zu", problem, y->problem_offset);
		return;
	}
	if (y->context && strstr(y->context, "scanning an a")) { /* "an alias", "an anchor" */
		fault_error(p->faults, (int)y->context_mark.line + 1, (int)y->context_mark.column + 1,
			    "a value that begins with '*' or '&' must be in quotes, such as '*'");
		return;
	}
	if (strstr(problem, "cannot start any token")) {
		fault_error(p->faults, (int)at->line + 1, (int)at->column + 1,
			    "this character cannot begin a value; indent with spaces instead of tabs, and put values "
			    "that begin with %% @ or ` in quotes");
		return;
	}
	char *context = y->context ? xasprintf(" %s that begins at %zu:%zu", y->context, y->context_mark.line + 1,
					       y->context_mark.column + 1)
				   : xstrdup("");
	fault_error(p->faults, (int)at->line + 1, (int)at->column + 1,
		    "not valid YAML: %s%s; check the indentation, and put values that begin with one of "
		    "[ ] { } * & ! | > %% @ ` \" or contain ': ' in quotes",
		    problem, context);
	free(context);
}

static int next_event(struct parse *p, yaml_event_t *event)
{
	if (yaml_parser_parse(&p->yaml, event))
		return 0;
	say_syntax(p);
	return -1;
}

static patchbay_str copy_text(const yaml_event_t *event)
{
	size_t n = event->data.scalar.length;
	char *text = xmalloc(n + 1); /* libyaml puts a NUL behind it, and there may be others inside */
	memcpy(text, event->data.scalar.value, n + 1);
	return (patchbay_str){ text, n };
}

/* Never shows the name: `secret: !Pa55word` is a tag. */
static void check_extras(struct parse *p, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	int line = (int)event->start_mark.line + 1, column = (int)event->start_mark.column + 1;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		fault_error(p->faults, line, column,
			    "anchors (&name) are not supported; write the value out, or put it in quotes if it "
			    "begins with '&'");
	if (tag)
		fault_error(p->faults, line, column,
			    "tags (!name) are not supported; remove the tag, or put the value in quotes if it "
			    "begins with '!'");
}

static int parse_value(struct parse *p, yaml_event_t *event, struct node *node, int depth);

static struct node *add_item(struct node *parent)
{
	if ((parent->n & (parent->n - 1)) == 0)
		parent->items = xrealloc(parent->items, (parent->n ? 2 * parent->n : 1) * sizeof(*parent->items));
	struct node *item = &parent->items[parent->n++];
	*item = (struct node){ 0 };
	return item;
}

static int check_room(struct parse *p, const struct node *parent, const yaml_event_t *event)
{
	if (parent->n < YAML_ITEMS_MAX)
		return 0;
	fault_error(p->faults, (int)event->start_mark.line + 1, (int)event->start_mark.column + 1,
		    "more than %d entries here; a configuration of this size is not supported", YAML_ITEMS_MAX);
	return -1;
}

static int parse_list(struct parse *p, struct node *list, int depth)
{
	yaml_event_t event;
	for (;;) {
		if (next_event(p, &event) < 0)
			return -1;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		if (check_room(p, list, &event) < 0) {
			event_done(&event);
			return -1;
		}
		if (parse_value(p, &event, add_item(list), depth) < 0)
			return -1;
	}
}

/* True: this key and its value stay in the mapping. */
static bool key_is_good(struct parse *p, const struct node *map, const struct node *key)
{
	if (key->kind == NODE_BAD)
		return false;
	if (key->kind != NODE_SCALAR) {
		fault_error(p->faults, key->line, key->column, "a key must be a word, not %s", node_kind_name(key));
		return false;
	}
	if (!key->quoted && str_is(key->text, "<<")) {
		fault_error(p->faults, key->line, key->column, "merge keys (<<) are not supported; write the keys out");
		return false;
	}
	if (key->text.n == 0) {
		fault_error(p->faults, key->line, key->column, "a key is missing before this ':'");
		return false;
	}
	for (size_t i = 0; i + 1 < map->n; i++)
		if (str_eq(map->items[i].key, key->text)) {
			fault_error(p->faults, key->line, key->column,
				    "key '%.*s' is here a second time, the first is on line %d; remove one of them",
				    SHOWN(key->text), map->items[i].key_line);
			return false;
		}
	return true;
}

static int parse_map(struct parse *p, struct node *map, int depth)
{
	for (;;) {
		yaml_event_t event;
		struct node key = { 0 };
		if (next_event(p, &event) < 0)
			return -1;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		if (check_room(p, map, &event) < 0) {
			event_done(&event);
			return -1;
		}
		if (parse_value(p, &event, &key, depth) < 0 || next_event(p, &event) < 0) {
			node_clear(&key);
			return -1;
		}
		struct node *item = add_item(map);
		int r = parse_value(p, &event, item, depth);
		if (key_is_good(p, map, &key)) {
			item->key = key.text;
			item->key_line = key.line;
			item->key_column = key.column;
			key.text = (patchbay_str){ NULL, 0 };
		} else {
			node_clear(item);
			map->n--;
		}
		node_clear(&key);
		if (r < 0)
			return -1;
	}
}

/* Takes over the event. */
static int parse_value(struct parse *p, yaml_event_t *event, struct node *node, int depth)
{
	int r = 0;
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	check_extras(p, event);
	yaml_event_type_t type = event->type;
	if (type == YAML_SCALAR_EVENT) {
		node->kind = NODE_SCALAR;
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		node->text = copy_text(event);
	} else if (type == YAML_ALIAS_EVENT) {
		fault_error(p->faults, node->line, node->column,
			    "aliases (*name) are not supported; write the value out, or put it in quotes if it "
			    "begins with '*'");
	}
	event_done(event);
	if (type != YAML_SEQUENCE_START_EVENT && type != YAML_MAPPING_START_EVENT)
		return 0;
	if (depth == YAML_DEPTH_MAX) {
		fault_error(p->faults, node->line, node->column, "nested deeper than %d levels", YAML_DEPTH_MAX);
		return -1;
	}
	if (type == YAML_SEQUENCE_START_EVENT) {
		node->kind = NODE_LIST;
		r = parse_list(p, node, depth + 1);
	} else {
		node->kind = NODE_MAP;
		r = parse_map(p, node, depth + 1);
	}
	return r;
}

/* The stream: one document, and nothing behind it. An empty text gives a null. */
static int parse_stream(struct parse *p, struct node *root)
{
	yaml_event_t event;
	if (next_event(p, &event) < 0) /* the start of the stream */
		return -1;
	yaml_event_delete(&event);
	if (next_event(p, &event) < 0)
		return -1;
	bool empty = event.type == YAML_STREAM_END_EVENT;
	yaml_event_delete(&event);
	if (empty) {
		*root = (struct node){ .kind = NODE_SCALAR, .line = 1, .column = 1 };
		return 0;
	}
	if (next_event(p, &event) < 0 || parse_value(p, &event, root, 0) < 0 || next_event(p, &event) < 0)
		return -1;
	yaml_event_delete(&event); /* the end of the document */
	if (next_event(p, &event) < 0)
		return -1;
	if (event.type != YAML_STREAM_END_EVENT)
		fault_error(p->faults, (int)event.start_mark.line + 1, (int)event.start_mark.column + 1,
			    "a second document begins here; one file holds one configuration");
	yaml_event_delete(&event);
	return 0;
}

/* Control characters, and the two that are no characters: libyaml refuses them. */
static bool is_printable(const unsigned char *p, size_t n)
{
	if (n == 1)
		return p[0] == '\t' || p[0] == '\n' || p[0] == '\r' || (p[0] >= 0x20 && p[0] != 0x7f);
	if (n == 2)
		return p[0] != 0xc2 || p[1] >= 0xa0 || p[1] == 0x85;
	return n != 3 || p[0] != 0xef || p[1] != 0xbf || p[2] < 0xbe;
}

/* libyaml would say no more than "invalid", at a byte. */
static int check_characters(patchbay_str text, struct faults *faults)
{
	int line = 1, column = 1;
	for (size_t i = 0; i < text.n;) {
		const unsigned char *p = (const unsigned char *)text.p + i;
		size_t n = utf8_sequence(p, text.n - i);
		if (n == 0 || !is_printable(p, n)) {
			fault_error(faults, line, column, "byte 0x%02x is %s; write the file as plain UTF-8 text", p[0],
				    n == 0   ? "not UTF-8"
				    : n == 1 ? "a control character"
					     : "part of a control character");
			return -1;
		}
		if (*p == '\n') {
			line++;
			column = 1;
		} else {
			column++;
		}
		i += n;
	}
	return 0;
}

struct node *yaml_parse(patchbay_str text, struct faults *faults)
{
	struct parse p = { .faults = faults };
	struct node *root = NULL;

	if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark is no fault, and no character either */
		text = (patchbay_str){ text.p + 3, text.n - 3 };
	if (check_characters(text, faults) < 0)
		return NULL;
	if (!yaml_parser_initialize(&p.yaml))
		abort();
	yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.yaml, (const unsigned char *)(text.p ? text.p : ""), text.n);
	root = xcalloc(1, sizeof(*root));
	if (parse_stream(&p, root) < 0) {
		node_free(root);
		root = NULL;
	}
	explicit_bzero(p.yaml.raw_buffer.start, (size_t)(p.yaml.raw_buffer.end - p.yaml.raw_buffer.start));
	explicit_bzero(p.yaml.buffer.start, (size_t)(p.yaml.buffer.end - p.yaml.buffer.start));
	yaml_parser_delete(&p.yaml);
	return root;
}

struct node *yaml_load(const char *path, struct faults *faults)
{
	struct node *root = NULL;
	char *text = xmalloc(YAML_FILE_MAX + 1);
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		fault_error(faults, 0, 0, "cannot be opened: %s; name the configuration file with -c FILE",
			    strerror(errno));
		goto out;
	}
	while (n <= YAML_FILE_MAX) {
		ssize_t got = read(fd, text + n, YAML_FILE_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fault_error(faults, 0, 0, "cannot be read: %s", strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > YAML_FILE_MAX) {
		fault_error(faults, 0, 0, "larger than 1 MiB; this is hardly a configuration file");
		goto out;
	}
	root = yaml_parse((patchbay_str){ text, n }, faults);
out:
	if (fd != -1)
		close(fd);
	explicit_bzero(text, n);
	free(text);
	return root;
}

const struct node *node_get(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (str_is(map->items[i].key, key))
			return &map->items[i];
	return NULL;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && !node->quoted &&
	       (node->text.n == 0 || str_is(node->text, "~") || str_is(node->text, "null") ||
		str_is(node->text, "Null") || str_is(node->text, "NULL"));
}

const char *node_kind_name(const struct node *node)
{
	if (node->kind == NODE_LIST)
		return "a list";
	if (node->kind == NODE_MAP)
		return "a mapping";
	return node_is_null(node) ? "nothing" : "a single value";
}
