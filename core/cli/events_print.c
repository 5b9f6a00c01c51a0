/* events_print.c - one event on one line, for people and for programs. */
#include "cli/events.h"

#include "cli/json_out.h"
#include "cli/text.h"

#include <stdio.h>

bool events_wants(const struct events_wanted *wanted, const struct journal_record *record)
{
	if (!view_is_entry(record) || record->received_ns < wanted->since_ns)
		return false;
	if (wanted->quarantine && record->kind != JOURNAL_MALFORMED && record->kind != JOURNAL_REFUSED)
		return false;
	if (wanted->source && !str_is(record->source, wanted->source))
		return false;
	return !wanted->type || str_glob(str_c(wanted->type), record->type) ||
	       str_glob(str_c(wanted->type), record->kind_name);
}

/* "done 1/2, parked 1" */
static void summary(const struct view_deliveries *deliveries, char *out, size_t size)
{
	static const enum journal_state order[] = { JOURNAL_STATE_OWED, JOURNAL_STATE_PARKED, JOURNAL_STATE_DEAD,
						    JOURNAL_STATE_SKIPPED };
	size_t count[JOURNAL_STATE_NOT_ROUTED + 1] = { 0 };
	for (size_t i = 0; i < deliveries->n; i++)
		count[deliveries->v[i].state]++;
	if (deliveries->held) {
		snprintf(out, size, "held for its details");
		return;
	}
	size_t routed = deliveries->n - count[JOURNAL_STATE_NOT_ROUTED];
	if (!routed) {
		snprintf(out, size, "not routed");
		return;
	}
	int n = snprintf(out, size, "done %zu/%zu", count[JOURNAL_STATE_DONE], routed);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && n >= 0 && (size_t)n < size; i++)
		if (count[order[i]])
			n += snprintf(out + n, size - (size_t)n, ", %s %zu", view_state_name(order[i]),
				      count[order[i]]);
}

static void what_it_is(const struct journal_record *record, char *out, size_t size)
{
	char original[ID_TEXT_SIZE];
	if (record->kind == JOURNAL_DUPLICATE) {
		id_format(&record->original, original);
		snprintf(out, size, "duplicate of %s", original);
	} else if (record->kind == JOURNAL_MALFORMED || record->kind == JOURNAL_REFUSED) {
		snprintf(out, size, "quarantined (%s)", view_status_name(record));
	} else {
		snprintf(out, size, "%s", view_status_name(record));
	}
}

/* The event that a quarantined request became after all; "" */
static int find_admitted(struct view *view, const struct journal_record *record, char out[ID_TEXT_SIZE],
			 struct err *err)
{
	struct id event;
	int64_t at_ms;
	*out = '\0';
	if (record->kind != JOURNAL_MALFORMED && record->kind != JOURNAL_REFUSED)
		return 0;
	int got = journal_recovered(view->journal, &record->id, &event, &at_ms, err);
	if (got > 0)
		id_format(&event, out);
	return got < 0 ? -1 : 0;
}

static void print_header(void)
{
	printf("%-24s  %-36s  %-13s%-33s%-43s%-7s%s\n", "RECEIVED", "ID", "SOURCE", "TYPE", "SUBJECT", "WHAT", "STATE");
}

static void print_row(const struct journal_record *record, const struct view_deliveries *deliveries,
		      const char *admitted)
{
	char id[ID_TEXT_SIZE], time[TEXT_TIME_SIZE], what[80], state[120];
	id_format(&record->id, id);
	what_it_is(record, what, sizeof(what));
	printf("%s  %s  ", text_time(record->received_ns, time), id);
	text_print_column(stdout, record->source, 12);
	text_print_column(stdout, record->type.n ? record->type : STR("-"), 32);
	text_print_column(stdout, record->subject.n ? record->subject : STR("-"), 42);
	if (record->kind == JOURNAL_EVENT) {
		summary(deliveries, state, sizeof(state));
		text_print_column(stdout, str_c(what), 6);
		printf("%s\n", state);
	} else {
		text_print(stdout, str_c(what));
		if (*admitted)
			printf(", admitted since as %s", admitted);
		if (record->note.n && record->kind != JOURNAL_DUPLICATE) {
			printf(": ");
			text_print(stdout, record->note);
		}
		putchar('\n');
	}
}

static void print_json(const struct journal_record *record, const struct view_deliveries *deliveries,
		       const char *admitted)
{
	char id[ID_TEXT_SIZE];
	json_t *states = json_object(), *line = json_object();
	id_format(&record->id, id);
	json_object_set_new(line, "received", json_out_time(record->received_ns));
	json_object_set_new(line, "id", json_string(id));
	json_object_set_new(line, "source", json_out_string(record->source));
	json_object_set_new(line, "type", json_out_string(record->type));
	json_object_set_new(line, "kind", json_out_string(record->kind_name.n ? record->kind_name : record->type));
	json_object_set_new(line, "subject", json_out_string(record->subject));
	json_object_set_new(line, "status", json_string(deliveries->held ? "held" : view_status_name(record)));
	if (record->kind == JOURNAL_DUPLICATE) {
		id_format(&record->original, id);
		json_object_set_new(line, "duplicate_of", json_string(id));
	}
	if (record->kind == JOURNAL_MALFORMED || record->kind == JOURNAL_REFUSED) {
		json_object_set_new(line, "why", json_out_string(record->note));
		json_object_set_new(line, "admitted", *admitted ? json_string(admitted) : json_null());
	}
	for (size_t i = 0; i < deliveries->n; i++)
		json_object_set_new(states, deliveries->v[i].sink,
				    json_string(view_state_name(deliveries->v[i].state)));
	json_object_set_new(line, "deliveries", states);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

int events_print(struct events_wanted *wanted, struct view *view, struct journal_pos at,
		 const struct journal_record *record, struct err *err)
{
	struct view_deliveries deliveries = { 0 };
	char admitted[ID_TEXT_SIZE];
	if (find_admitted(view, record, admitted, err) < 0 || view_deliveries(view, at, record, &deliveries, err) < 0)
		return -1;
	if (!wanted->printed++ && !wanted->json)
		print_header();
	(wanted->json ? print_json : print_row)(record, &deliveries, admitted);
	view_deliveries_free(&deliveries);
	return 0;
}
