/* schema.c - see schema.h. What is like no option of a plugin's is here: what the loader reads by hand, and sources and
 * sinks, whose keys depend on their `plugin`. Of one an editor knows `plugin` first; by `if` and `then` it knows all
 * keys of the one that is named, and refuses others. */
#include "cli/schema.h"

#include "base/mem.h"
#include "cli/json_out.h"
#include "config/scalar.h"

#include <stdlib.h>
#include <string.h>

#define NAME "[a-z0-9][a-z0-9_-]{0,62}" /* CONFIG_NAME_SIZE */
#define PORT "0*(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})"
#define ADDRESS "^(unix:/.*|(" SCHEMA_IPV4 "|\\[" SCHEMA_IPV6 "\\]):" PORT ")$"
#define RATE "^(off|0*([1-9][0-9]{0,5}|1000000)/(s|min|h))$" /* SCALAR_RATE_MAX */

/* A key of the host's that is more, or other, than its type says. */
struct form {
	const char *name; /* NULL, at the end: all others */
	json_t *(*make)(const patchbay_option *);
};

static json_t *mapping_of(const patchbay_option *v, size_t n, const struct form *forms)
{
	json_t *mapping = schema_mapping(NULL, 0);
	for (size_t i = 0; i < n; i++) {
		const struct form *form = forms;
		while (form->name && strcmp(form->name, v[i].name) != 0)
			form++;
		schema_add_key(mapping, &v[i], form->make(&v[i]));
	}
	return mapping;
}

static json_t *address(const patchbay_option *o)
{
	(void)o;
	return schema_pattern(ADDRESS, "write ADDRESS:PORT, such as 0.0.0.0:8080, '[::1]:8080' or unix:/run/x.sock");
}

/* A path as text, or where a secret may be, which this is not. */
static json_t *certificate(const patchbay_option *o)
{
	return schema_either(schema_value(o), json_pack("{s:s}", "$ref", "#/definitions/secret/anyOf/0"));
}

static json_t *tls(const patchbay_option *o)
{
	static const struct form forms[] = { { "certificate", certificate }, { NULL, schema_value } };
	return mapping_of(o->fields, o->n_fields, forms);
}

/* Each an address, or a mapping of that and what else may be said of it. */
static json_t *addresses(const patchbay_option *o)
{
	static const struct form forms[] = { { "address", address }, { "tls", tls }, { NULL, schema_value } };
	return schema_list(o, schema_either(address(o), mapping_of(o->fields, o->n_fields, forms)));
}

static json_t *journal(const patchbay_option *o)
{
	return json_pack("{s:[o,{s:{s:s,s:s}}]}", "allOf", schema_value(o), "not", "type", "string", "pattern", "://");
}

static json_t *or_nothing(json_t *schema)
{
	json_t *type = json_incref(json_object_get(schema, "type"));
	json_object_set_new(schema, "type", json_pack("[o,s]", type, "null"));
	return schema;
}

/* A section of the file may stay there when all of it is commented out. */
static json_t *section(const patchbay_option *o)
{
	return o->type == PATCHBAY_T_MAP ? or_nothing(schema_value(o)) : schema_value(o);
}

/* NAME: a source, or a sink. */
static json_t *instances(const patchbay_option *o)
{
	const char *each = strcmp(o->name, "sources") == 0 ? "#/definitions/source" : "#/definitions/sink";
	json_t *name = schema_pattern("^" NAME "$", "write a name of a-z 0-9 _ -, beginning with a letter or digit");
	return or_nothing(json_pack("{s:s,s:o,s:{s:s}}", "type", "object", "propertyNames", name,
				    "additionalProperties", "$ref", each));
}

/* As if it was required: then neither a list nor what is in it may be empty. */
static patchbay_option not_empty(const patchbay_option *o)
{
	patchbay_option some = *o;
	some.flags |= PATCHBAY_F_REQUIRED;
	return some;
}

static json_t *from(const patchbay_option *o)
{
	patchbay_option some = not_empty(o);
	return schema_list(&some, schema_pattern("^(\\*|" NAME ")$", "write the name of a source, or '*'"));
}

static json_t *to(const patchbay_option *o)
{
	return schema_list(o, schema_pattern("^" NAME "$", "write the name of a sink"));
}

static json_t *type(const patchbay_option *o)
{
	patchbay_option some = not_empty(o);
	return schema_value(&some);
}

static json_t *routes(const patchbay_option *o)
{
	(void)o;
	return or_nothing(json_pack("{s:s,s:{s:s}}", "type", "array", "items", "$ref", "#/definitions/route"));
}

static json_t *route(void)
{
	static const struct form forms[] = { { "from", from }, { "to", to }, { "type", type }, { NULL, schema_value } };
	return mapping_of(config_route_options, config_n_route_options, forms);
}

/* A section, too; what is said of single plugins is NAME: level. */
static json_t *logging(const patchbay_option *o)
{
	json_t *mapping = section(o), *properties = json_object_get(mapping, "properties");
	for (size_t i = 0; i < o->n_fields; i++) {
		const patchbay_option *key = &o->fields[i];
		if (key->type != PATCHBAY_T_MAP)
			continue;
		json_t *levels =
			json_pack("{s:s,s:o}", "type", "object", "additionalProperties", schema_value(&key->fields[0]));
		json_object_set_new(properties, key->name, schema_described(key, or_nothing(levels)));
	}
	return mapping;
}

/* Growing delays, or a list of delays, each written as the first of those. */
static json_t *retry(const patchbay_option *o)
{
	json_t *list = json_pack("{s:s,s:o}", "type", "array", "items", schema_value(&o->fields[0]));
	return schema_either(schema_value(o), list);
}

static json_t *rate(const patchbay_option *o)
{
	(void)o;
	return schema_pattern(RATE, "write a rate as 50/s, 20/min or 500/h (1 to 1000000), or off");
}

static json_t *silence(const patchbay_option *o)
{
	patchbay_option duration = *o;
	duration.type = PATCHBAY_T_MS;
	duration.min = 1; /* 0 is none */
	return schema_either(json_pack("{s:[s,s]}", "enum", "auto", "off"), schema_value(&duration));
}

/* ---- Sources and sinks */

/* What every sink has, as it is with this plugin. */
static json_t *sink_mapping(const patchbay_sink *sink, const struct form *forms)
{
	patchbay_option *common = xcalloc(config_n_sink_options, sizeof(*common));
	char timeout[SCALAR_SHOW_SIZE];
	for (size_t i = 0; i < config_n_sink_options; i++) {
		patchbay_option *o = &common[i];
		*o = config_sink_options[i];
		if (strcmp(o->name, "timeout") == 0)
			o->def = scalar_show_ms(sink->timeout_ms ? sink->timeout_ms : CONFIG_TIMEOUT_MS, timeout);
		if (strcmp(o->name, "rate") == 0)
			o->def = sink->rate ? sink->rate : "off";
		if (strcmp(o->name, "concurrency") == 0)
			o->max = sink->concurrency_max ? sink->concurrency_max : 1;
	}
	json_t *mapping = mapping_of(common, config_n_sink_options, forms);
	free(common);
	return mapping;
}

/* Every key of a source or sink that uses this plugin. */
static json_t *instance(const patchbay_plugin *plugin, bool sink)
{
	static const struct form forms[] = {
		{ "retry", retry }, { "rate", rate }, { "silence", silence }, { NULL, schema_value }
	};
	json_t *mapping = sink ? sink_mapping(plugin->sink, forms)
			       : mapping_of(config_source_options, config_n_source_options, forms);
	const patchbay_option *own = sink ? plugin->sink->options : plugin->source->options;
	for (size_t i = 0; i < (sink ? plugin->sink->n_options : plugin->source->n_options); i++)
		schema_add_key(mapping, &own[i], schema_value(&own[i]));
	json_object_set_new(json_object_get(mapping, "properties"), "plugin", json_true()); /* it is this one */
	return mapping;
}

static void add_side(json_t *definitions, const struct registry *registry, bool sink)
{
	const patchbay_option *key = sink ? config_sink_options : config_source_options; /* `plugin` is the first */
	json_t *plugins = json_array(), *abouts = json_array(), *rules = json_array();

	for (size_t i = 0; i < registry_count(registry); i++) {
		const patchbay_plugin *p = registry_at(registry, i)->plugin;
		if (!p || (sink ? !p->sink : !p->source))
			continue;
		char *name = xasprintf("%s-%s", sink ? "sink" : "source", p->name);
		char *place = xasprintf("#/definitions/%s", name);
		json_array_append_new(plugins, json_string(p->name));
		json_array_append_new(abouts, json_out_string(str_c(p->summary)));
		json_array_append_new(rules, json_pack("{s:{s:s,s:[s],s:{s:{s:s}}},s:{s:s}}", "if", "type", "object",
						       "required", "plugin", "properties", "plugin", "const", p->name,
						       "then", "$ref", place));
		json_object_set_new(definitions, name, instance(p, sink));
		free(place);
		free(name);
	}
	json_t *side = schema_mapping(key, 1);
	json_object_del(side, "additionalProperties"); /* the rules know all keys */
	if (json_array_size(plugins) > 0) {
		json_t *plugin = json_pack("{s:O,s:O}", "enum", plugins, "enumDescriptions", abouts);
		json_object_set_new(json_object_get(side, "properties"), key->name, schema_described(key, plugin));
		json_object_set(side, "allOf", rules);
	}
	json_object_set_new(definitions, sink ? "sink" : "source", side);
	json_decref(plugins);
	json_decref(abouts);
	json_decref(rules);
}

json_t *schema_make(const struct registry *registry)
{
	static const struct form forms[] = {
		{ "listen", addresses }, { "admin", address }, { "journal", journal }, { "sources", instances },
		{ "sinks", instances },  { "routes", routes }, { "log", logging },     { NULL, section },
	};
	json_t *file = mapping_of(config_file_options, config_n_file_options, forms);
	json_t *definitions = schema_definitions();

	json_object_set_new(definitions, "route", route());
	add_side(definitions, registry, false);
	add_side(definitions, registry, true);
	json_t *schema = json_pack("{s:s,s:s}", "$schema", "http://json-schema.org/draft-07/schema#", "description",
				   "Which events of which sources go to which sinks. `patchbay check` knows more.");
	json_object_update_new(schema, file);
	json_object_set_new(schema, "definitions", definitions);
	return schema;
}
