/* deliveries.c - the doors to what became of deliveries: they lead to the state. */
#include "journal/internal.h"

#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* Of what was pruned? Not if it stands where that ended. */
static bool missed_something(struct journal *j, struct journal_pos cursor, struct journal_pos start)
{
	struct segment_header h;
	int fd = segment_open(seglog_dir(j->events), start.hi, O_RDONLY, &h, NULL);
	if (fd == -1)
		return true;
	close(fd);
	return journal_pos_cmp(cursor, (struct journal_pos){ h.previous, h.previous_end }) < 0;
}

int journal_sink_open(struct journal *j, const char *sink, struct journal_sink *ret, struct err *err)
{
	if (state_sink_open(j->state, sink, seglog_end(j->events), ret, err) != 0)
		return -1;
	struct journal_pos start = seglog_start(j->events);
	if (journal_pos_cmp(ret->cursor, start) < 0) {
		if (missed_something(j, ret->cursor, start))
			log_about(LOG_LEVEL_WARNING, &(struct log_about){ .sink = sink },
				  "sink %s: what it was owed before segment %08" PRIx64
				  " was pruned while no route led to it",
				  sink, start.hi);
		ret->cursor = start;
	}
	return 0;
}

int journal_sinks_keep(struct journal *j, const char *const *sinks, size_t n, struct err *err)
{
	return state_sinks_keep(j->state, sinks, n, err);
}

int journal_sink_trouble(struct journal *j, const char *sink, int64_t since_ms, int64_t not_before_ms, struct err *err)
{
	return state_sink_trouble(j->state, sink, since_ms, not_before_ms, err);
}

int journal_settle(struct journal *j, const char *sink, const struct journal_pos *cursor,
		   const struct journal_settled *v, size_t n, const patchbay_str *checkpoint, struct err *err)
{
	return state_settle(j->state, sink, cursor, v, n, checkpoint, err);
}

int journal_due(struct journal *j, const char *sink, int64_t now_ms, struct journal_parked *ret, size_t max,
		int64_t *ret_next_ms, struct err *err)
{
	return state_due(j->state, sink, now_ms, ret, max, ret_next_ms, err);
}

int journal_deliveries(struct journal *j, struct journal_pos at, const struct id *id,
		       void (*each)(void *ctx, const struct journal_delivery_state *), void *ctx, struct err *err)
{
	return state_deliveries(j->state, at, id, each, ctx, err);
}

int journal_attempts(struct journal *j, const struct id *id, void (*each)(void *ctx, const struct journal_attempt *),
		     void *ctx, struct err *err)
{
	return state_attempts(j->state, id, each, ctx, err);
}

int journal_failing(struct journal *j, const char *sink, struct journal_failing *ret, struct err *err)
{
	return state_failing(j->state, sink, ret, err);
}

int journal_settled_ahead(struct journal *j, const char *sink, struct journal_pos from, struct journal_pos **ret,
			  size_t *n, struct err *err)
{
	return state_settled_ahead(j->state, sink, from, ret, n, err);
}

int journal_subject_owed(struct journal *j, const char *sink, uint64_t subject, struct err *err)
{
	return state_subject_owed(j->state, sink, subject, err);
}

int journal_dead(struct journal *j, const struct journal_dead_filter *filter,
		 bool (*each)(void *ctx, const struct journal_dead *), void *ctx, struct err *err)
{
	return state_dead(j->state, filter, each, ctx, err);
}

int journal_replay(struct journal *j, const char *sink, const struct journal_replay *v, size_t n, int64_t now_ms,
		   patchbay_str why, struct err *err)
{
	return state_replay(j->state, sink, v, n, now_ms, why, err);
}

uint64_t journal_operations(struct journal *j)
{
	return atomic_load(&j->operations);
}

int journal_sink_counts(struct journal *j, const char *sink, struct journal_sink_counts *ret, struct err *err)
{
	return state_sink_counts(j->state, sink, ret, err);
}

int journal_crashed_add(struct journal *j, const struct journal_crashed *crashed, struct err *err)
{
	return state_crashed_add(j->state, crashed, err);
}

int journal_crashed(struct journal *j, bool (*each)(void *ctx, const struct journal_crashed *), void *ctx,
		    struct err *err)
{
	return state_crashed(j->state, each, ctx, err);
}

int journal_recovered_add(struct journal *j, const struct id *request, const struct id *event, int64_t at_ms,
			  struct err *err)
{
	return state_recovered_add(j->state, request, event, at_ms, err);
}

int journal_recovered(struct journal *j, const struct id *request, struct id *ret_event, int64_t *ret_at_ms,
		      struct err *err)
{
	return state_recovered(j->state, request, ret_event, ret_at_ms, err);
}

int journal_died(struct journal *j, void (*each)(void *ctx, const char *sink, uint64_t died), void *ctx,
		 struct err *err)
{
	return state_died(j->state, each, ctx, err);
}

int journal_notes_put(struct journal *j, const struct journal_note *v, size_t n, struct err *err)
{
	return state_notes_put(j->state, v, n, err);
}

int journal_notes(struct journal *j, void (*each)(void *ctx, const struct journal_note *), void *ctx, struct err *err)
{
	return state_notes(j->state, each, ctx, err);
}
