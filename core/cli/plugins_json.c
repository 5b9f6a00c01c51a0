/* plugins_json.c - `patchbay plugins --json`. */
#include "cli/plugins_print.h"

#include "plugin/simulate.h"

#include <jansson.h>
#include <stdio.h>

static const char *const type_names[] = {
	[PATCHBAY_T_BOOL] = "bool",   [PATCHBAY_T_INT] = "int",       [PATCHBAY_T_REAL] = "real",
	[PATCHBAY_T_STR] = "string",  [PATCHBAY_T_STRS] = "strings",  [PATCHBAY_T_ENUM] = "enum",
	[PATCHBAY_T_MS] = "duration", [PATCHBAY_T_BYTES] = "size",    [PATCHBAY_T_CIDRS] = "networks",
	[PATCHBAY_T_EXPR] = "jq",     [PATCHBAY_T_TEXT] = "jq-text",  [PATCHBAY_T_FIELDS] = "fields",
	[PATCHBAY_T_MAP] = "mapping", [PATCHBAY_T_LIST] = "mappings", [PATCHBAY_T_STRS_EXPR] = "strings-or-jq",
};

static void set_text(json_t *object, const char *key, const char *text)
{
	/* What a plugin says may not be UTF-8; Jansson then makes nothing of it. */
	json_t *value = text ? json_string(text) : NULL;
	json_object_set_new(object, key, value ? value : json_null());
}

static json_t *options_json(const patchbay_option *options, size_t n);

static json_t *option_json(const patchbay_option *o)
{
	json_t *object = json_object();

	set_text(object, "name", o->name);
	set_text(object, "type", type_names[o->type]);
	json_object_set_new(object, "required", json_boolean(o->flags & PATCHBAY_F_REQUIRED));
	json_object_set_new(object, "secret", json_boolean(o->flags & PATCHBAY_F_SECRET));
	set_text(object, "default", o->def);
	if (o->type == PATCHBAY_T_ENUM) {
		json_t *words = json_array();
		for (size_t i = 0; o->one_of[i]; i++)
			json_array_append_new(words, json_string(o->one_of[i]));
		json_object_set_new(object, "one_of", words);
	}
	if (o->min || o->max) {
		json_object_set_new(object, "min", json_integer(o->min));
		json_object_set_new(object, "max", json_integer(o->max));
	}
	set_text(object, "help", o->help);
	if (o->n_fields)
		json_object_set_new(object, "options", options_json(o->fields, o->n_fields));
	return object;
}

static json_t *options_json(const patchbay_option *options, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, option_json(&options[i]));
	return array;
}

static json_t *provider_json(const patchbay_provider *p)
{
	json_t *object = json_object(), *retries = json_array(), *ok = json_array();

	set_text(object, "authentication", p->authentication);
	json_object_set_new(object, "answer_ms", json_integer(p->answer_ms));
	for (uint32_t i = 0; i < p->n_retry; i++)
		json_array_append_new(retries, json_integer(p->retry_s[i]));
	json_object_set_new(object, "retry_s", retries);
	json_object_set_new(object, "retry_horizon_s", json_integer(p->retry_horizon_s));
	for (uint32_t i = 0; i < p->n_ok; i++)
		json_array_append_new(ok, json_pack("[ii]", p->ok[2 * i], p->ok[2 * i + 1]));
	json_object_set_new(object, "ok", ok);
	json_object_set_new(object, "final_refusal", json_integer(p->final_refusal));
	set_text(object, "notes", p->notes);
	set_text(object, "docs_url", p->docs_url);
	return object;
}

/* What the options of every sink are as long as routes.yaml does not say otherwise. */
static json_t *delivery_json(const patchbay_sink *sink)
{
	json_t *object = json_object();

	json_object_set_new(object, "timeout_ms",
			    json_integer(sink->timeout_ms ? sink->timeout_ms : CONFIG_TIMEOUT_MS));
	json_object_set_new(object, "batch_events", json_integer(sink->batch_events ? sink->batch_events : 1));
	json_object_set_new(object, "batch_bytes", json_integer(sink->batch_bytes));
	json_object_set_new(object, "batch_linger_ms", json_integer(sink->batch_linger_ms));
	set_text(object, "rate", sink->rate);
	json_object_set_new(object, "concurrency_max", json_integer(sink->concurrency_max ? sink->concurrency_max : 1));
	return object;
}

static json_t *samples_json(const patchbay_plugin *plugin)
{
	json_t *array = json_array();
	patchbay_simulate simulate;

	if (!simulate_get(plugin, &simulate))
		return array;
	for (uint32_t i = 0; i < simulate.n_samples; i++) {
		patchbay_sample sample = simulate_sample(&simulate, i);
		json_t *object = json_object();
		set_text(object, "name", sample.name);
		set_text(object, "about", sample.about);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *head_json(const struct registry_entry *e)
{
	const patchbay_plugin *p = e->plugin;
	json_t *object = json_object(), *sides = json_array();

	set_text(object, "name", p->name);
	set_text(object, "version", p->version);
	set_text(object, "license", p->license);
	set_text(object, "summary", p->summary);
	set_text(object, "path", e->path);
	if (p->source)
		json_array_append_new(sides, json_string("source"));
	if (p->sink)
		json_array_append_new(sides, json_string("sink"));
	json_object_set_new(object, "sides", sides);
	return object;
}

static void print(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

void plugins_print_json(const struct registry_entry *e)
{
	const patchbay_plugin *p = e->plugin;
	json_t *object = head_json(e);

	if (p->source) {
		json_t *side = json_object();
		json_object_set_new(side, "options", options_json(p->source->options, p->source->n_options));
		json_object_set_new(side, "common_options",
				    options_json(config_source_options, config_n_source_options));
		json_object_set_new(side, "provider", provider_json(p->source->provider));
		json_object_set_new(side, "samples", samples_json(p));
		json_object_set_new(object, "source", side);
	}
	if (p->sink) {
		json_t *side = json_object();
		json_object_set_new(side, "options", options_json(p->sink->options, p->sink->n_options));
		json_object_set_new(side, "common_options", options_json(config_sink_options, config_n_sink_options));
		json_object_set_new(side, "defaults", delivery_json(p->sink));
		json_object_set_new(object, "sink", side);
	}
	print(object);
}

void plugins_print_list_json(const struct registry *registry)
{
	json_t *loaded = json_array(), *refused = json_array(), *object = json_object();

	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct registry_entry *e = registry_at(registry, i);
		if (e->plugin) {
			json_array_append_new(loaded, head_json(e));
			continue;
		}
		json_t *refusal = json_object();
		set_text(refusal, "path", e->path);
		set_text(refusal, "reason", e->refused);
		json_array_append_new(refused, refusal);
	}
	json_object_set_new(object, "plugins", loaded);
	json_object_set_new(object, "refused", refused);
	print(object);
}
