/* events_list.c - what came in, newest first. */
#include "cli/events.h"

#include "base/clock.h"

#include <stdio.h>

/* Two lists, the events and what was refused, both newest first: taken from in turn, by the time. */
struct feed {
	struct journal_reader *reader;
	struct journal_pos pos;
	int (*next)(struct journal_reader *, struct journal_pos *, struct journal_record *, struct err *);
	struct journal_record record;
	bool ended, failed; /* failed: what is before `pos` cannot be read */
};

static void advance(struct feed *feed)
{
	struct err err = { 0 };
	struct journal_pos before = feed->pos;
	int got;
	while ((got = feed->next(feed->reader, &feed->pos, &feed->record, &err)) < 0) {
		fprintf(stderr, "patchbay events: %s\n", err.text);
		feed->failed =
			journal_pos_cmp(feed->pos, before) == 0; /* not even passed over: it would be so for ever */
		if (feed->failed)
			break;
		before = feed->pos;
	}
	feed->ended = got <= 0;
}

int events_list(struct events_wanted *wanted, struct view *view)
{
	struct feed feeds[2] = { { .next = journal_read_before, .pos = journal_end(view->journal) },
				 { .next = journal_read_refused } };
	int status = 0;
	for (int i = 0; i < 2; i++) {
		feeds[i].reader = journal_reader_open(view->journal);
		advance(&feeds[i]);
	}
	while (status == 0 && !(feeds[0].ended && feeds[1].ended) && wanted->printed < wanted->limit) {
		int newer = feeds[0].ended ||
			    (!feeds[1].ended && feeds[1].record.received_ns > feeds[0].record.received_ns);
		struct feed *feed = &feeds[newer];
		struct err err = { 0 };
		/* Those that came at about the same time need not stand in order. */
		if (wanted->since_ns != INT64_MIN &&
		    view_came_before(&feed->record, wanted->since_ns - 60 * NS_PER_S)) {
			feed->ended = true;
			continue;
		}
		if (events_wants(wanted, &feed->record) &&
		    events_print(wanted, view, feed->pos, &feed->record, &err) < 0) {
			fprintf(stderr, "patchbay events: %s\n", err.text);
			status = 1;
		}
		advance(feed);
	}
	if (feeds[0].failed || feeds[1].failed)
		status = 1;
	if (!wanted->printed && status == 0)
		fprintf(stderr, "nothing has come in that matches\n");
	for (int i = 0; i < 2; i++)
		journal_reader_close(feeds[i].reader);
	return status;
}
