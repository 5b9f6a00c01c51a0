/* show_json.c - one event, for programs. The envelope goes through Jansson; the data is put in as it stands:
 * numbers with more digits than a double has must come out as they came in. */
#include "cli/show.h"

#include "base/clock.h"
#include "cli/json_out.h"
#include "cli/text.h"

#include <stdlib.h>
#include <string.h>

static json_t *routes_json(const struct show *show)
{
	const struct config *config = show->view->config;
	if (!config)
		return json_null(); /* not known */
	json_t *routes = json_array();
	for (size_t i = 0; i < show->n_routes; i++) {
		const struct show_route *found = &show->routes[i];
		json_t *route = json_object(), *sources = json_array(), *sinks = json_array();
		for (size_t k = 0; k < found->route->n_sources; k++)
			json_array_append_new(sources, json_string(config->sources[found->route->sources[k]].name));
		for (size_t k = 0; k < found->route->n_sinks; k++)
			json_array_append_new(sinks, json_string(config->sinks[found->route->sinks[k]].name));
		if (found->route->own)
			json_array_append_new(sources, json_string(CONFIG_OWN_SOURCE));
		else if (!found->route->n_sources)
			json_array_append_new(sources, json_string("*"));
		json_object_set_new(route, "line", json_integer(found->route->line));
		json_object_set_new(route, "from", sources);
		json_object_set_new(route, "to", sinks);
		json_object_set_new(route, "matches", json_boolean(found->reason == ROUTER_OK));
		json_object_set_new(route, "verdict", json_string(router_reason_text(found->reason)));
		json_object_set_new(route, "why", json_out_string(str_c(found->why)));
		json_array_append_new(routes, route);
	}
	return routes;
}

static json_t *deliveries_json(const struct show *show)
{
	json_t *deliveries = json_array();
	for (size_t i = 0; i < show->deliveries.n; i++) {
		const struct view_delivery *found = &show->deliveries.v[i];
		json_t *delivery = json_object();
		json_object_set_new(delivery, "sink", json_out_string(str_c(found->sink)));
		json_object_set_new(delivery, "state", json_string(view_state_name(found->state)));
		json_object_set_new(delivery, "attempts", json_integer(found->attempts));
		json_object_set_new(delivery, "at", json_out_time(found->at_ms * NS_PER_MS));
		json_object_set_new(delivery, "due", json_out_time(found->due_ms * NS_PER_MS));
		json_object_set_new(delivery, "class", json_out_string(str_c(found->class_)));
		json_object_set_new(delivery, "why", json_out_string(str_c(found->why)));
		json_array_append_new(deliveries, delivery);
	}
	return deliveries;
}

static json_t *repeats_json(const struct show *show)
{
	json_t *repeats = json_array();
	for (size_t i = 0; i < show->n_repeats; i++) {
		char id[ID_TEXT_SIZE];
		json_t *repeat = json_object();
		id_format(&show->repeats[i].id, id);
		json_object_set_new(repeat, "id", json_string(id));
		json_object_set_new(repeat, "received", json_out_time(show->repeats[i].received_ns));
		json_object_set_new(repeat, "client", json_out_string(str_c(show->repeats[i].client)));
		json_array_append_new(repeats, repeat);
	}
	return repeats;
}

static void add_fetch(json_t *envelope, const struct show *show)
{
	const struct journal_record *released = &show->released;
	json_object_set_new(envelope, "details_error", json_out_string(released->request.n ? STR("") : released->note));
	json_object_set_new(envelope, "details_due", json_out_time(show->fetch_due_ms * NS_PER_MS));
	json_object_set_new(envelope, "details_attempts", attempts_json(&show->attempts, JOURNAL_SINK_ENRICH));
}

static json_t *envelope_json(const struct show *show)
{
	const struct journal_record *record = &show->record;
	json_t *envelope = json_object(), *original = json_null();
	char original_id[ID_TEXT_SIZE];
	if (record->kind == JOURNAL_DUPLICATE) {
		id_format(&record->original, original_id);
		original = json_string(original_id);
	}
	json_object_set_new(envelope, "id", json_string(show->id));
	json_object_set_new(envelope, "source", json_out_string(record->source));
	json_object_set_new(envelope, "plugin", json_out_string(record->plugin));
	json_object_set_new(envelope, "type", json_out_string(record->type));
	json_object_set_new(envelope, "kind", json_out_string(record->kind_name.n ? record->kind_name : record->type));
	json_object_set_new(envelope, "subject", json_out_string(record->subject));
	json_object_set_new(envelope, "time", json_out_time(record->time_ns ? record->time_ns : record->received_ns));
	json_object_set_new(envelope, "time_source", json_string(record->time_ns ? "provider" : "received"));
	json_object_set_new(envelope, "received", json_out_time(record->received_ns));
	json_object_set_new(envelope, "test", json_boolean(record->flags & JOURNAL_FLAG_TEST));
	json_object_set_new(envelope, "dedupe", json_string(view_dedupe_name(record)));
	json_object_set_new(envelope, "client", json_out_string(record->client));
	json_object_set_new(envelope, show_is_quarantined(show) ? "why" : "verified", json_out_string(record->note));
	json_object_set_new(envelope, "status", json_string(show->deliveries.held ? "held" : view_status_name(record)));
	json_object_set_new(envelope, "duplicate_of", original);
	if (show_is_quarantined(show)) {
		struct buf request = { 0 };
		show_request(show, &request);
		json_object_set_new(envelope, "request", json_out_string(buf_str(&request)));
		json_object_set_new(envelope, "failed_check",
				    show->failed_check ? json_string(show->failed_check) : json_null());
		buf_free(&request);
		json_object_set_new(envelope, "admitted", *show->admitted ? json_string(show->admitted) : json_null());
		json_object_set_new(envelope, "admitted_at", json_out_time(show->admitted_ms * NS_PER_MS));
	}
	if (record->flags & JOURNAL_FLAG_HELD)
		add_fetch(envelope, show);
	json_object_set_new(envelope, "duplicates", repeats_json(show));
	json_object_set_new(envelope, "routes", routes_json(show));
	json_object_set_new(envelope, "deliveries", deliveries_json(show));
	json_object_set_new(envelope, "attempts", attempts_json(&show->attempts, NULL));
	return envelope;
}

void show_json(const struct show *show)
{
	patchbay_str data = show->record.data, details = show->released.request;
	json_t *envelope = envelope_json(show);
	char *text = json_dumps(envelope, JSON_COMPACT);
	struct buf out = { 0 };
	buf_add(&out, text, strlen(text) - 1); /* without the brace at its end */
	if (show->record.flags & JOURNAL_FLAG_HELD) {
		buf_addf(&out, ",\"details\":");
		buf_add_str(&out, text_is_json(details) ? details : STR("null"));
	}
	buf_addf(&out, ",\"data\":");
	buf_add_str(&out, text_is_json(data) ? data : STR("null"));
	buf_addf(&out, ",\"raw\":");
	buf_add_json_string(&out, data);
	buf_addf(&out, "}\n");
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	free(text);
	json_decref(envelope);
}
