/* events_follow.c - what comes in, as it comes: the journal of a running daemon, looked at again and again. */
#include "cli/events.h"

#include "base/clock.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_AGAIN_MS 300

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

struct follow {
	struct events_wanted *wanted;
	struct view *view;
	struct journal_pos events;  /* behind what was seen */
	struct journal_pos refused; /* the newest that was seen */
	struct journal_pos *again;  /* cursors of those that are newer, newest first */
	size_t room;
};

static bool enough(const struct follow *follow)
{
	return stop || follow->wanted->printed >= follow->wanted->limit;
}

static void complain(const struct err *err)
{
	fprintf(stderr, "patchbay events: %s\n", err->text);
}

static int print(struct follow *follow, struct journal_pos at, const struct journal_record *record)
{
	struct err err = { 0 };
	if (!events_wants(follow->wanted, record))
		return 0;
	int result = events_print(follow->wanted, follow->view, at, record, &err);
	if (result < 0)
		complain(&err);
	return result;
}

static int follow_events(struct follow *follow)
{
	struct journal_record record;
	struct journal_pos at, before = follow->events;
	struct err err = { 0 };
	int got;
	while (!enough(follow) &&
	       (got = journal_read(follow->view->reader, &follow->events, &record, &at, &err)) != 0) {
		if (got < 0) {
			complain(&err);
			if (journal_pos_cmp(follow->events, before) == 0)
				return -1; /* not even passed over */
		} else if (print(follow, at, &record) < 0) {
			return -1;
		}
		before = follow->events;
	}
	return 0;
}

/* They are read newest first, and printed oldest first. */
static int follow_refused(struct follow *follow)
{
	struct journal_pos cursor = { 0 }, newest = follow->refused;
	struct journal_record record;
	struct err err = { 0 };
	size_t n = 0;
	for (;;) {
		struct journal_pos before = cursor;
		if (journal_read_refused(follow->view->reader, &cursor, &record, &err) <= 0 ||
		    journal_pos_cmp(cursor, follow->refused) <= 0)
			break;
		if (n == 0)
			newest = cursor;
		if (n == follow->room) {
			follow->room = follow->room ? follow->room * 2 : 64;
			follow->again = xrealloc(follow->again, follow->room * sizeof(*follow->again));
		}
		follow->again[n++] = before;
	}
	follow->refused = newest;
	while (n-- > 0 && !enough(follow)) {
		cursor = follow->again[n];
		if (journal_read_refused(follow->view->reader, &cursor, &record, &err) > 0 &&
		    print(follow, cursor, &record) < 0)
			return -1;
	}
	return 0;
}

/* Everything that came since then lies behind these. */
static void begin(struct follow *follow)
{
	struct journal_reader *reader = follow->view->reader;
	struct journal_record record;
	struct err err = { 0 };
	bool since = follow->wanted->since_ns != INT64_MIN;
	int got;
	follow->events = journal_end(follow->view->journal);
	struct journal_pos pos = follow->events;
	while (since && journal_read_before(reader, &pos, &record, &err) > 0 &&
	       !view_came_before(&record, follow->wanted->since_ns))
		follow->events = pos;
	do
		got = journal_read_refused(reader, &follow->refused, &record, &err);
	while (got > 0 && since && !view_came_before(&record, follow->wanted->since_ns));
	if (got <= 0) /* all of them, or those to come */
		follow->refused = (struct journal_pos){ 0 };
}

int events_follow(struct events_wanted *wanted, struct view *view)
{
	struct follow follow = { .wanted = wanted, .view = view };
	struct err err = { 0 };
	const struct sigaction end = { .sa_handler = on_signal };
	int status = 0;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	signal(SIGPIPE, SIG_DFL); /* the reader of our output has gone: so do we */
	begin(&follow);
	while (!enough(&follow)) {
		if (follow_events(&follow) < 0 || follow_refused(&follow) < 0)
			status = 1;
		if (fflush(stdout) != 0 || status || enough(&follow))
			break;
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_AGAIN_MS * NS_PER_MS }, NULL);
		if (!stop && view_refresh(view, &err) < 0) {
			complain(&err);
			status = 1;
		}
		if (status)
			break;
	}
	free(follow.again);
	return status;
}
