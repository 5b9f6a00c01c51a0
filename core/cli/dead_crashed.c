/* dead_crashed.c - the requests that a plugin crashed with: they were never accepted, and stand in quarantine. */
#include "cli/dead.h"

#include "base/clock.h"
#include "cli/json_out.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct listing {
	const struct dead_order *order;
	uint64_t n;
};

static bool is_wanted(const struct journal_dead_filter *filter, const struct journal_crashed *crashed)
{
	return crashed->at_ms >= filter->from_ms && (!filter->to_ms || crashed->at_ms <= filter->to_ms);
}

static void print_json(const struct journal_crashed *crashed, const char *id)
{
	json_t *line = json_object();
	json_object_set_new(line, "id", json_string(id));
	json_object_set_new(line, "at", json_out_time(crashed->at_ms * NS_PER_MS));
	json_object_set_new(line, "source", json_out_string(str_c(crashed->source)));
	json_object_set_new(line, "plugin", json_out_string(str_c(crashed->plugin)));
	json_object_set_new(line, "sink", json_null());
	json_object_set_new(line, "state", json_string("quarantined"));
	json_object_set_new(line, "class", json_string("plugin"));
	json_object_set_new(line, "attempts", json_integer(crashed->count));
	json_object_set_new(line, "why", json_out_string(str_c(crashed->why)));
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void print_text(const struct journal_crashed *crashed, const char *id)
{
	char time[TEXT_TIME_SIZE];
	printf("%s  %s  ", text_time(crashed->at_ms * NS_PER_MS, time), id);
	text_print_column(stdout, str_c(crashed->source), 16);
	text_print_column(stdout, str_c(crashed->plugin), 16);
	printf("%5" PRIu32 "  ", crashed->count);
	text_print(stdout, str_c(crashed->why));
	putchar('\n');
}

static bool list(void *ctx, const struct journal_crashed *crashed)
{
	struct listing *listing = ctx;
	char id[ID_TEXT_SIZE];
	if (!is_wanted(&listing->order->filter, crashed))
		return true;
	id_format(&crashed->id, id);
	if (listing->n++ == 0 && !listing->order->json) {
		printf("\nRequests that a source's plugin crashed with; they were not accepted, and are in "
		       "quarantine:\n");
		printf("%-26s%-38s%-17s%-17s%5s  %s\n", "AT", "ID", "SOURCE", "PLUGIN", "TRIES", "WHY");
	}
	(listing->order->json ? print_json : print_text)(crashed, id);
	return true;
}

int dead_crashed(struct view *view, const struct dead_order *order, uint64_t *ret_n)
{
	struct listing listing = { .order = order };
	const struct journal_dead_filter *filter = &order->filter;
	struct err err = { 0 };
	*ret_n = 0;
	if (order->groups_only || filter->sink || filter->skipped ||
	    (filter->class_ && strcmp(filter->class_, "plugin") != 0))
		return 0;
	if (journal_crashed(view->journal, list, &listing, &err) < 0) {
		fprintf(stderr, "patchbay dead: %s\n", err.text);
		return 1;
	}
	if (listing.n && !order->json)
		printf("\n`patchbay explain ID` says all about one, `patchbay reverify SOURCE` lets them in once the "
		       "plugin is mended\n");
	*ret_n = listing.n;
	return 0;
}
