/* dead_list.c - the causes of dead letters, and the newest of them. */
#include "cli/dead.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/json_out.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct letter { /* one of the newest */
	struct journal_dead dead;
	char *sink, *class_, *why; /* its texts */
};

struct list {
	struct view *view;
	const struct dead_order *order;
	struct dead_groups groups;
	struct letter *newest; /* a ring */
	size_t room, next;
	uint64_t total;
};

static bool gather(void *ctx, const struct journal_dead *dead)
{
	struct list *list = ctx;
	if (strcmp(dead->sink, JOURNAL_SINK_ENRICH) == 0)
		return true;
	dead_groups_add(&list->groups, dead);
	list->total++;
	if (list->order->groups_only)
		return true;
	if (list->room < list->order->limit && list->next == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		if (list->room > list->order->limit)
			list->room = list->order->limit;
		list->newest = xrealloc(list->newest, list->room * sizeof(*list->newest));
		memset(list->newest + list->next, 0, (list->room - list->next) * sizeof(*list->newest));
	}
	list->next %= list->room;
	struct letter *letter = &list->newest[list->next++];
	free(letter->sink);
	free(letter->class_);
	free(letter->why);
	*letter = (struct letter){ .dead = *dead,
				   .sink = xstrdup(dead->sink),
				   .class_ = xstrdup(dead->class_ ? dead->class_ : ""),
				   .why = xstrdup(dead->why ? dead->why : "") };
	return true;
}

/* Its event, if the journal still has it. */
static bool read_event(struct view *view, const struct journal_dead *dead, struct journal_record *ret)
{
	struct err err = { 0 };
	return journal_read_at(view->reader, dead->at, ret, &err) > 0 &&
	       memcmp(&ret->id, &dead->id, sizeof(ret->id)) == 0;
}

static void print_letter(struct view *view, const struct letter *letter)
{
	struct journal_record record;
	char id[ID_TEXT_SIZE], time[TEXT_TIME_SIZE];
	bool there = read_event(view, &letter->dead, &record);
	id_format(&letter->dead.id, id);
	printf("%s  %s  ", text_time(letter->dead.at_ms * NS_PER_MS, time), id);
	text_print_column(stdout, there ? record.type : STR("(pruned)"), 32);
	text_print_column(stdout, str_c(letter->sink), 16);
	text_print_column(stdout, str_c(*letter->class_ ? letter->class_ : "-"), 13);
	printf("%5" PRIu32 "  ", letter->dead.attempts);
	text_print(stdout, str_c(letter->why));
	putchar('\n');
}

static void print_letter_json(struct view *view, const struct letter *letter)
{
	struct journal_record record;
	char id[ID_TEXT_SIZE];
	json_t *line = json_object();
	bool there = read_event(view, &letter->dead, &record);
	id_format(&letter->dead.id, id);
	json_object_set_new(line, "id", json_string(id));
	json_object_set_new(line, "at", json_out_time(letter->dead.at_ms * NS_PER_MS));
	json_object_set_new(line, "first", json_out_time(letter->dead.first_ms * NS_PER_MS));
	json_object_set_new(line, "source", there ? json_out_string(record.source) : json_null());
	json_object_set_new(line, "type", there ? json_out_string(record.type) : json_null());
	json_object_set_new(line, "subject", there ? json_out_string(record.subject) : json_null());
	json_object_set_new(line, "sink", json_out_string(str_c(letter->sink)));
	json_object_set_new(line, "state", json_string(view_state_name(letter->dead.state)));
	json_object_set_new(line, "class", json_out_string(str_c(letter->class_)));
	json_object_set_new(line, "attempts", json_integer(letter->dead.attempts));
	json_object_set_new(line, "why", json_out_string(str_c(letter->why)));
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void print_group_json(const struct dead_group *group)
{
	char id[ID_TEXT_SIZE];
	json_t *line = json_object();
	id_format(&group->newest, id);
	json_object_set_new(line, "count", json_integer((json_int_t)group->count));
	json_object_set_new(line, "sink", json_out_string(str_c(group->sink)));
	json_object_set_new(line, "class", json_out_string(str_c(group->class_)));
	json_object_set_new(line, "why", json_out_string(str_c(group->alike ? group->why : group->pattern)));
	json_object_set_new(line, "first", json_out_time(group->first_ms * NS_PER_MS));
	json_object_set_new(line, "last", json_out_time(group->last_ms * NS_PER_MS));
	json_object_set_new(line, "example", json_string(id));
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void print_groups(const struct dead_groups *groups)
{
	char id[ID_TEXT_SIZE], first[TEXT_TIME_SIZE], last[TEXT_TIME_SIZE];
	printf("%8s  %-16s%-14s%-26s%-26s%-38s%s\n", "COUNT", "SINK", "CLASS", "FIRST", "LAST", "NEWEST", "WHY");
	for (size_t i = 0; i < groups->n; i++) {
		const struct dead_group *group = &groups->v[i];
		id_format(&group->newest, id);
		printf("%8" PRIu64 "  ", group->count);
		text_print_column(stdout, str_c(group->sink), 15);
		text_print_column(stdout, str_c(*group->class_ ? group->class_ : "-"), 13);
		printf("%s  %s  %s  ", text_time(group->first_ms * NS_PER_MS, first),
		       text_time(group->last_ms * NS_PER_MS, last), id);
		text_print(stdout, str_c(group->alike ? group->why : group->pattern));
		putchar('\n');
	}
	if (groups->others)
		printf("%8" PRIu64 "  with other reasons\n", groups->others);
}

static void print_all(const struct list *list)
{
	bool full = list->total > list->room, json = list->order->json;
	size_t n = full ? list->room : (size_t)list->total;
	if (!json)
		print_groups(&list->groups);
	else if (list->order->groups_only)
		for (size_t i = 0; i < list->groups.n; i++)
			print_group_json(&list->groups.v[i]);
	if (list->order->groups_only)
		return;
	if (!json) {
		printf(full ? "\nThe newest %zu of %" PRIu64 ":\n" : "\nAll of them:\n", n, list->total);
		printf("%-26s%-38s%-33s%-17s%-14s%5s  %s\n", "GIVEN UP", "ID", "TYPE", "SINK", "CLASS", "TRIES", "WHY");
	}
	for (size_t i = 0; i < n; i++)
		(json ? print_letter_json : print_letter)(list->view, &list->newest[full ? (list->next + i) % n : i]);
	if (!json)
		printf("\n`patchbay dead ID` says all about one, `patchbay replay` delivers again\n");
}

int dead_list(struct view *view, const struct dead_order *order)
{
	struct list list = { .view = view, .order = order };
	struct err err = { 0 };
	int status = journal_dead(view->journal, &order->filter, gather, &list, &err) < 0;
	if (status) {
		fprintf(stderr, "patchbay dead: %s\n", err.text);
	} else if (list.total) {
		dead_groups_sort(&list.groups);
		print_all(&list);
	}
	uint64_t crashed = 0;
	status |= dead_crashed(view, order, &crashed);
	if (!status && !list.total && !crashed)
		fprintf(stderr, "no delivery was %s that matches\n", order->filter.skipped ? "skipped" : "given up");
	for (size_t i = 0; i < list.room; i++) {
		free(list.newest[i].sink);
		free(list.newest[i].class_);
		free(list.newest[i].why);
	}
	free(list.newest);
	dead_groups_free(&list.groups);
	return status;
}
