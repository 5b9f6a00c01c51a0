/* yaml.h - a YAML text as a tree of nodes that know where they stand. What configuration files do
 * better without is refused here: anchors, aliases, tags, merge keys, duplicate keys, a second
 * document. Only yaml.c knows libyaml. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/fault.h"

#define YAML_FILE_MAX (1 << 20)
#define YAML_DEPTH_MAX 32
#define YAML_ITEMS_MAX 10000 /* in one list or mapping */

enum node_kind {
	NODE_BAD, /* was refused, and said so: nothing more to say about it */
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
};

struct node {
	enum node_kind kind;
	bool quoted;        /* scalar: in quotes or a block, so never a number, a bool or null */
	int line, column;   /* from 1 */
	patchbay_str text;  /* scalar; NUL-terminated */
	struct node *items; /* list, map */
	size_t n;
	patchbay_str key; /* of a value in a mapping; NUL-terminated */
	int key_line, key_column;
};

/* NULL: no tree could be made, and the faults say why. A tree may come with faults, too. */
struct node *yaml_load(const char *path, struct faults *);
struct node *yaml_parse(patchbay_str text, struct faults *);
void node_free(struct node *); /* wipes every text; NULL is fine */

const struct node *node_get(const struct node *map, const char *key); /* NULL: no such key, or no map */
bool node_is_null(const struct node *);                               /* no value, ~ or null */
const char *node_kind_name(const struct node *);                      /* "a list", ... for messages */

#endif
