/* dead_show.c - one event whose deliveries were given up: every attempt, and what to do. */
#include "cli/dead.h"

#include "base/clock.h"
#include "cli/attempts.h"
#include "cli/find.h"
#include "cli/json_out.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	struct view *view;
	const struct dead_order *order;
	struct id id;
	char id_text[ID_TEXT_SIZE];
	struct attempts attempts;
	json_t *deliveries; /* of --json */
	size_t found;
};

static void print_envelope(struct page *page, const struct journal_record *record)
{
	char time[TEXT_TIME_SIZE];
	printf("%-12s %s\n%-12s ", "id", page->id_text, "event");
	if (record) {
		text_print(stdout, record->type);
		printf(", of source ");
		text_print(stdout, record->source);
		printf(", %s", text_time(record->received_ns, time));
		if (record->subject.n) {
			printf(", about ");
			text_print(stdout, record->subject);
		}
		putchar('\n');
	} else {
		printf("pruned: the journal has kept it for as long as `retention` says, and it cannot be delivered "
		       "any more\n");
	}
}

static void print_delivery(struct page *page, const struct journal_dead *dead, bool there)
{
	char time[TEXT_TIME_SIZE];
	printf("\n%-12s ", "sink");
	text_print(stdout, str_c(dead->sink));
	printf("\n%-12s %s", view_state_name(dead->state), text_time(dead->at_ms * NS_PER_MS, time));
	if (dead->class_ && *dead->class_)
		printf(" (%s)", dead->class_);
	if (dead->attempts)
		printf(" after %" PRIu32 " attempt%s", dead->attempts, dead->attempts == 1 ? "" : "s");
	if (dead->why && *dead->why) {
		printf(": ");
		text_print(stdout, str_c(dead->why));
	}
	putchar('\n');
	attempts_print(&page->attempts, dead->sink, 13);
	if (!there)
		return;
	char *advice = attempts_advice(dead->class_ ? dead->class_ : "", page->id_text, dead->sink);
	printf("%-12s ", "to do");
	text_print(stdout, str_c(advice));
	putchar('\n');
	free(advice);
}

static json_t *delivery_json(struct page *page, const struct journal_dead *dead, bool there)
{
	char *advice = attempts_advice(dead->class_ ? dead->class_ : "", page->id_text, dead->sink);
	json_t *delivery = json_object();
	json_object_set_new(delivery, "sink", json_out_string(str_c(dead->sink)));
	json_object_set_new(delivery, "state", json_string(view_state_name(dead->state)));
	json_object_set_new(delivery, "at", json_out_time(dead->at_ms * NS_PER_MS));
	json_object_set_new(delivery, "class", json_out_string(str_c(dead->class_)));
	json_object_set_new(delivery, "why", json_out_string(str_c(dead->why)));
	json_object_set_new(delivery, "attempts", attempts_json(&page->attempts, dead->sink));
	json_object_set_new(delivery, "to_do", there ? json_out_string(str_c(advice)) : json_null());
	free(advice);
	return delivery;
}

static bool look(void *ctx, const struct journal_dead *dead)
{
	struct page *page = ctx;
	struct journal_record record;
	struct err err = { 0 };
	if (memcmp(&dead->id, &page->id, sizeof(page->id)) != 0 || strcmp(dead->sink, JOURNAL_SINK_ENRICH) == 0)
		return true;
	bool there = journal_read_at(page->view->reader, dead->at, &record, &err) > 0 &&
		     memcmp(&record.id, &page->id, sizeof(page->id)) == 0;
	if (page->order->json) {
		json_array_append_new(page->deliveries, delivery_json(page, dead, there));
	} else {
		if (!page->found)
			print_envelope(page, there ? &record : NULL);
		print_delivery(page, dead, there);
	}
	page->found++;
	return true;
}

static int find(struct page *page, struct err *err)
{
	struct journal_dead_filter filter = { .sink = page->order->filter.sink };
	for (int skipped = 0; skipped < 2; skipped++) {
		filter.skipped = skipped;
		if (journal_dead(page->view->journal, &filter, look, page, err) < 0)
			return -1;
	}
	return page->found ? 0
			   : err_set(err,
				     "no delivery of %s was given up or skipped%s%s; `patchbay show %s` says how they "
				     "stand",
				     page->id_text, filter.sink ? " by " : "", filter.sink ? filter.sink : "",
				     page->id_text);
}

int dead_show(struct view *view, const struct dead_order *order, const char *id)
{
	struct page page = { .view = view, .order = order, .deliveries = json_array() };
	struct err err = { 0 };
	int status = 1;
	if (find_id(view, id, &page.id, &err) < 0)
		goto out;
	id_format(&page.id, page.id_text);
	if (attempts_load(view->journal, &page.id, &page.attempts, &err) < 0 || find(&page, &err) < 0)
		goto out;
	if (order->json) {
		json_t *line = json_object();
		json_object_set_new(line, "id", json_string(page.id_text));
		json_object_set(line, "deliveries", page.deliveries);
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
	}
	status = 0;
out:
	if (status)
		fprintf(stderr, "patchbay dead: %s\n", err.text);
	attempts_free(&page.attempts);
	json_decref(page.deliveries);
	return status;
}
