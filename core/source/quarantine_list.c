/* quarantine_list.c - see quarantine_list.h. */
#include "source/quarantine_list.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void add(struct quarantine_list *list, const struct journal_record *record, struct journal_pos at, bool refused)
{
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 256;
		list->v = xrealloc(list->v, list->room * sizeof *list->v);
	}
	list->v[list->n++] = (struct quarantine_place){
		.id = record->id, .received_ns = record->received_ns, .at = at, .refused = refused
	};
}

static int by_time(const void *a, const void *b)
{
	const struct quarantine_place *x = a, *y = b;
	if (x->received_ns != y->received_ns)
		return x->received_ns < y->received_ns ? -1 : 1;
	return memcmp(&x->id, &y->id, sizeof x->id);
}

/* Passed over, and there may be more behind; where even that is impossible it would go on for ever. */
static bool goes_on(int rc, struct journal_pos before, struct journal_pos now)
{
	return rc == 1 || (rc == -1 && journal_pos_cmp(before, now) != 0);
}

void quarantine_list_fill(struct quarantine_list *list, struct journal *journal, struct journal_reader *reader,
			  const char *source, bool (*is_over)(void *ctx), void *ctx)
{
	struct journal_record record;
	struct journal_pos pos = { 0 }, before, at, end = journal_end(journal);
	struct err ignored;
	int rc;
	do {
		before = pos;
		rc = journal_read_refused(reader, &pos, &record, &ignored);
		if (rc == 1 && str_is(record.source, source))
			add(list, &record, before, true);
	} while (goes_on(rc, before, pos) && !(is_over && is_over(ctx)));
	pos = journal_start(journal);
	do {
		before = pos;
		rc = journal_read(reader, &pos, &record, &at, &ignored);
		if (rc == 1 && record.kind == JOURNAL_MALFORMED && str_is(record.source, source))
			add(list, &record, at, false);
	} while (goes_on(rc, before, pos) && journal_pos_cmp(pos, end) < 0 && !(is_over && is_over(ctx)));
	if (list->n)
		qsort(list->v, list->n, sizeof *list->v, by_time);
}

void quarantine_list_free(struct quarantine_list *list)
{
	free(list->v);
	*list = (struct quarantine_list){ 0 };
}

bool quarantine_list_read(const struct quarantine_place *place, struct journal_reader *reader,
			  struct journal_record *ret)
{
	struct journal_pos pos = place->at;
	struct err ignored;
	int rc;
	if (!place->refused)
		return journal_read_at(reader, pos, ret, &ignored) == 1;
	do /* newer ones may have come before the one that was the newest */
		rc = journal_read_refused(reader, &pos, ret, &ignored);
	while (rc == 1 && memcmp(&ret->id, &place->id, sizeof place->id) != 0);
	return rc == 1;
}
