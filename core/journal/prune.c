/* prune.c - gives up what is finished: by age or size, as `retention` says, or as an operator asks. */
#include "journal/internal.h"

#include <errno.h>

/* The housekeeper notes it, for the events, within a second of the segment's end. */
static int64_t last_ms_of(struct journal *j, struct seglog *log, const struct seglog_segment *s)
{
	struct index index = { 0 };
	struct err ignored;
	if (s->last_ms)
		return s->last_ms;
	if (log == j->events || index_make(seglog_dir(log), s->number, s->end, &index, &ignored) != 0)
		return 0;
	int64_t last_ms = index.last_ms ? index.last_ms : 1;
	index_free(&index);
	seglog_set_last_ms(log, s->number, last_ms);
	return last_ms;
}

bool prune_is_settled(const struct seglog_segment *s, struct journal_pos owed)
{
	return s->number < owed.hi || (s->number == owed.hi && owed.lo >= s->end);
}

int prune(struct journal *j, const struct journal_prune_order *order, struct journal_pruned *ret, struct err *err)
{
	struct seglog *log = order->quarantine ? j->quarantine : j->events;
	struct journal_pos owed = { UINT64_MAX, 0 };
	uint64_t cursors_in = order->quarantine ? UINT64_MAX : atomic_load(&j->cursors_in), before = 0;
	struct seglog_segment s;
	*ret = (struct journal_pruned){ .left_bytes = seglog_bytes(log) };
	if (!order->quarantine && state_oldest_owed(j->state, seglog_end(log), &owed, err) != 0)
		return -1;
	for (size_t i = 0; i + 1 < seglog_count(log) && seglog_at(log, i, &s); i++) {
		bool much = ret->left_bytes > order->down_to_bytes;
		int64_t last_ms = much || order->older_than_ms == INT64_MIN ? 0 : last_ms_of(j, log, &s);
		if (!much && !(last_ms && last_ms < order->older_than_ms))
			break;
		ret->held = !prune_is_settled(&s, owed) || s.number >= cursors_in;
		if (ret->held)
			break;
		ret->left_bytes -= s.end;
		ret->bytes += s.end;
		ret->segments++;
		before = s.number + 1;
	}
	if (!before || order->dry_run)
		return 0;
	seglog_prune(log, before);
	return order->quarantine ? 0 : state_prune(j->state, (struct journal_pos){ before, 0 }, err);
}
