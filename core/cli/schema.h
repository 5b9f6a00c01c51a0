/* schema.h - routes.yaml as a JSON Schema (draft-07), for editors: made from the same tables that the loader checks the
 * file against. It sees what one value is, and which keys there are; not what several have to do with each other (names
 * in routes), and not what is outside of the file. It refuses nothing that `patchbay check` accepts. */
#ifndef CLI_SCHEMA_H
#define CLI_SCHEMA_H

#include "plugin/host.h"

#include <jansson.h>

/* With the keys of all plugins that are loaded. */
json_t *schema_make(const struct registry *);

/* ---- schema_value.c: of one option, by its type */

json_t *schema_value(const patchbay_option *);
/* A mapping with these keys and no others, each by schema_value(). */
json_t *schema_mapping(const patchbay_option *, size_t n);
/* The value as what stands behind a key: with help and default from the table. Takes `value` over. */
json_t *schema_described(const patchbay_option *, json_t *value);
/* Puts a key into a mapping; notes whether it is required. Takes `value` over. */
void schema_add_key(json_t *mapping, const patchbay_option *, json_t *value);

json_t *schema_definitions(void); /* what the others refer to */
/* Text of this form; `wrong` is what an editor says of another. */
json_t *schema_pattern(const char *regex, const char *wrong);
/* One value, or a list of as many as the option takes. Takes `item` over. */
json_t *schema_list(const patchbay_option *, json_t *item);
json_t *schema_either(json_t *a, json_t *b); /* takes both over */

#define SCHEMA_OCTET "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define SCHEMA_IPV4 SCHEMA_OCTET "(\\." SCHEMA_OCTET "){3}"
#define SCHEMA_IPV6 "[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"

#endif
