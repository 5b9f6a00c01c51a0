/* state.h - what became of deliveries: one SQLite database beside the segments. Each sink has a cursor and a
 * checkpoint; a batch that succeeded is one row; what is parked, dead or skipped has a row of its own.
 * Thread-safe. */
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

#include "journal/journal.h"

struct state;

struct state *state_open(const char *path, bool writable, struct err *err);
void state_close(struct state *);

int state_sink_open(struct state *, const char *sink, struct journal_pos end, struct journal_sink *ret, struct err *err);
int state_sinks_keep(struct state *, const char *const *sinks, size_t n, struct err *err);
int state_settle(struct state *, const char *sink, const struct journal_pos *cursor, const struct journal_settled *, size_t n,
                 const patchbay_str *checkpoint, struct err *err);
int state_due(struct state *, const char *sink, int64_t now_ms, struct journal_parked *ret, size_t max,
              int64_t *ret_next_ms, struct err *err);
int state_deliveries(struct state *, struct journal_pos at, const struct id *,
                     void (*each)(void *ctx, const struct journal_delivery_state *), void *ctx, struct err *err);
int state_attempts(struct state *, const struct id *, void (*each)(void *ctx, const struct journal_attempt *), void *ctx,
                   struct err *err);

/* The furthest cursor of any sink; 0:0 without one. */
int state_newest(struct state *, struct journal_pos *ret, struct err *err);
/* The oldest position that is owed to a sink that is kept; `end` if nothing is. */
int state_oldest_owed(struct state *, struct journal_pos end, struct journal_pos *ret, struct err *err);
/* Forgets what became of events before this position. */
int state_prune(struct state *, struct journal_pos before, struct err *err);

#endif
