/* schema_value.c - what the value of one option may be, by its type, in the words of JSON Schema.
 *
 * A scalar is text to most options, whatever YAML makes of it: `subject: 12` is fine, and a number to an editor.
 * Durations and sizes are strings with a pattern, but those without a unit are numbers; of the former the range cannot
 * be told. */
#include "cli/schema.h"

#include "base/mem.h"
#include "cli/json_out.h"
#include "cli/plugins_print.h"
#include "config/fault.h"
#include "config/yaml.h"
#include "expr/expr.h"

#include <stdlib.h>
#include <string.h>

#define DURATION "[0-9]+(ms|s|m|h|d)"
#define SIZE "^[0-9]+[KMGT]?$"
#define NETWORK "^(" SCHEMA_IPV4 "(/0*(3[0-2]|[12]?[0-9]))?|" SCHEMA_IPV6 "(/0*(12[0-8]|1[01][0-9]|[0-9]{1,2}))?)$"

static json_t *defined(const char *name)
{
	char *place = xasprintf("#/definitions/%s", name);
	json_t *schema = json_pack("{s:s}", "$ref", place);
	free(place);
	return schema;
}

/* Any single value; not an empty one, if the option is required. */
static json_t *text(const patchbay_option *o)
{
	return defined(o->flags & PATCHBAY_F_REQUIRED ? "word" : "text");
}

json_t *schema_pattern(const char *regex, const char *wrong)
{
	return json_pack("{s:s,s:s,s:s}", "type", "string", "pattern", regex, "errorMessage", wrong);
}

json_t *schema_either(json_t *a, json_t *b)
{
	return json_pack("{s:[o,o]}", "anyOf", a, b);
}

/* A list that is required must not be empty. */
static json_t *array_of(const patchbay_option *o, json_t *item)
{
	json_t *array = json_pack("{s:s,s:o}", "type", "array", "items", item);
	int64_t min = o->min < 1 && (o->flags & PATCHBAY_F_REQUIRED) ? 1 : o->min;
	if (min > 0)
		json_object_set_new(array, "minItems", json_integer(min));
	if (o->max > 0 && o->max >= o->min)
		json_object_set_new(array, "maxItems", json_integer(o->max));
	return array;
}

json_t *schema_list(const patchbay_option *o, json_t *item)
{
	return schema_either(item, array_of(o, json_incref(item)));
}

static json_t *set_range(json_t *schema, const patchbay_option *o)
{
	if (!o->min && !o->max)
		return schema;
	json_object_set_new(schema, "minimum", json_integer(o->min));
	if (o->max >= o->min)
		json_object_set_new(schema, "maximum", json_integer(o->max));
	return schema;
}

static json_t *duration(const patchbay_option *o)
{
	const char *how = "write a duration as 500ms, 30s, 5m, 1h or 7d";
	if (o->min > 0)
		return schema_pattern("^" DURATION "$", how);
	json_t *schema = schema_pattern("^(0+|" DURATION ")$", how);
	json_object_set_new(schema, "type", json_pack("[s,s]", "string", "integer"));
	json_object_set_new(schema, "minimum", json_integer(0)); /* of numbers: 0 needs no unit */
	json_object_set_new(schema, "maximum", json_integer(0));
	return schema;
}

static json_t *size(const patchbay_option *o)
{
	json_t *schema = schema_pattern(SIZE, "write a size as 512, 64K, 10M or 1G");
	json_object_set_new(schema, "type", json_pack("[s,s]", "string", "integer"));
	json_object_set_new(schema, "minimum", json_integer(0));
	return set_range(schema, o);
}

/* The words as they are, and as YAML reads those that look like a number or a bool. */
static json_t *words(const char *const *one_of)
{
	json_t *all = json_array();
	for (size_t i = 0; one_of[i]; i++) {
		json_t *other = json_loads(one_of[i], JSON_DECODE_ANY, NULL);
		json_array_append_new(all, json_out_string(str_c(one_of[i])));
		if (json_is_number(other) || json_is_boolean(other))
			json_array_append(all, other);
		json_decref(other);
	}
	return json_pack("{s:o}", "enum", all);
}

/* Text that has at least `min` characters. true and false are text, too, but are not called by their type: an editor
 * would offer them everywhere. */
static json_t *plain(int min)
{
	json_t *named = json_pack("{s:[s,s],s:i}", "type", "string", "number", "minLength", min);
	return schema_either(named, json_pack("{s:{s:s},s:b}", "if", "type", "boolean", "else", 0));
}

static const struct {
	const char *name, *about;
} places[] = {
	{ "file", "a file that holds the secret on one line" },
	{ "env", "an environment variable of the daemon's" },
	{ "credential", "a credential of systemd's: LoadCredential=NAME:/path" },
};
#define N_PLACES (sizeof(places) / sizeof(*places))

/* What an editor offers for a secret. */
static json_t *with_snippets(json_t *schema)
{
	json_t *snippets = json_array();
	for (size_t i = 0; i < N_PLACES; i++)
		json_array_append_new(snippets, json_pack("{s:s,s:s,s:{s:s}}", "label", places[i].name, "description",
							  places[i].about, "body", places[i].name, "$1"));
	json_object_set_new(schema, "defaultSnippets", snippets);
	return schema;
}

static json_t *secret(void)
{
	json_t *from = json_object(), *here = plain(1);
	for (size_t i = 0; i < N_PLACES; i++) {
		json_t *place = defined("word");
		json_object_set_new(place, "description", json_string(places[i].about));
		json_object_set_new(from, places[i].name, place);
	}
	json_object_set_new(here, "description",
			    json_string("the secret itself: everyone who reads this file knows it then"));
	json_t *kept = json_pack("{s:s,s:o,s:b,s:i,s:i}", "type", "object", "properties", from, "additionalProperties",
				 0, "minProperties", 1, "maxProperties", 1);
	return with_snippets(schema_either(kept, here));
}

json_t *schema_definitions(void)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "text", plain(0), "word", plain(1), "secret", secret(), "network",
			 schema_pattern(NETWORK, "write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"));
}

static json_t *fields(const patchbay_option *o)
{
	json_t *named = json_pack("{s:s,s:i,s:i,s:o}", "type", "object", "minProperties", 1, "maxProperties", 1,
				  "additionalProperties", defined("text"));
	json_t *list = array_of(o, schema_either(words(expr_envelope_fields), named));
	json_object_set_new(list, "uniqueItems", json_true());
	return list;
}

/* NAME: value, of the host's own: a word, or whatever. */
static json_t *named(const patchbay_option *o)
{
	return json_pack("{s:[s,s],s:o}", "type", "object", "null", "additionalProperties",
			 o->one_of ? words(o->one_of) : json_true());
}

json_t *schema_value(const patchbay_option *o)
{
	switch (o->type) {
	case PATCHBAY_T_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case PATCHBAY_T_INT:
		return set_range(json_pack("{s:s}", "type", "integer"), o);
	case PATCHBAY_T_REAL:
		return set_range(json_pack("{s:s}", "type", "number"), o);
	case PATCHBAY_T_STR:
		return o->flags & PATCHBAY_F_SECRET ? defined("secret") : text(o);
	case PATCHBAY_T_STRS:
		return o->flags & PATCHBAY_F_SECRET ? with_snippets(schema_list(o, defined("secret")))
						    : schema_list(o, text(o));
	case PATCHBAY_T_ENUM:
		return words(o->one_of);
	case PATCHBAY_T_MS:
		return duration(o);
	case PATCHBAY_T_BYTES:
		return size(o);
	case PATCHBAY_T_CIDRS:
		return schema_list(o, defined("network"));
	case PATCHBAY_T_FIELDS:
		return fields(o);
	case PATCHBAY_T_MAP:
		return o->n_fields ? schema_mapping(o->fields, o->n_fields) : named(o);
	case PATCHBAY_T_LIST:
		return schema_list(o, schema_mapping(o->fields, o->n_fields));
	case PATCHBAY_T_STRS_EXPR:
		return schema_list(o, text(o));
	default: /* programs and texts */
		return defined("text");
	}
}

static json_t *node_json(const struct node *node)
{
	if (node->kind == NODE_LIST) {
		json_t *list = json_array();
		for (size_t i = 0; i < node->n; i++)
			json_array_append_new(list, node_json(&node->items[i]));
		return list;
	}
	if (node->kind == NODE_MAP) {
		json_t *map = json_object();
		for (size_t i = 0; i < node->n; i++)
			json_object_set_new(map, node->items[i].key.p, node_json(&node->items[i]));
		return map;
	}
	json_t *plain = node->quoted ? NULL : json_loadb(node->text.p, node->text.n, JSON_DECODE_ANY, NULL);
	return plain ? plain : json_out_string(node->text);
}

/* A default is written in the table as in YAML. NULL: there is none, or it is none. */
static json_t *default_json(const patchbay_option *o)
{
	struct config_faults found = { 0 };
	struct faults faults = { .path = "default", .list = &found };
	struct node *node = o->def ? yaml_parse(str_c(o->def), &faults) : NULL;
	json_t *value = node && !node_is_null(node) && faults.errors == 0 ? node_json(node) : NULL;
	node_free(node);
	config_faults_free(&found);
	return value;
}

json_t *schema_described(const patchbay_option *o, json_t *value)
{
	struct buf about = { 0 };
	json_t *def = default_json(o);
	if (o->help)
		buf_addf(&about, "%s\n\n", o->help);
	plugins_add_type(&about, o);
	json_object_set_new(value, "description", json_out_string(buf_str(&about)));
	if (def)
		json_object_set_new(value, "default", def);
	buf_free(&about);
	return value;
}

void schema_add_key(json_t *mapping, const patchbay_option *o, json_t *value)
{
	json_object_set_new(json_object_get(mapping, "properties"), o->name, schema_described(o, value));
	if (o->flags & PATCHBAY_F_REQUIRED)
		json_array_append_new(json_object_get(mapping, "required"), json_string(o->name));
}

json_t *schema_mapping(const patchbay_option *v, size_t n)
{
	json_t *mapping =
		json_pack("{s:s,s:{},s:[],s:b}", "type", "object", "properties", "required", "additionalProperties", 0);
	for (size_t i = 0; i < n; i++)
		schema_add_key(mapping, &v[i], schema_value(&v[i]));
	return mapping;
}
