/* view.h - the journal as `patchbay events` and `patchbay show` look at it: read only, beside a running daemon
 * or without one. They need no secrets, and of a configuration with faults only the journal's folder. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "base/call.h"
#include "config/config.h"
#include "deliver/router.h"
#include "journal/journal.h"
#include "plugin/host.h"

struct view {
	struct registry *registry;
	struct config *config;   /* without secrets; NULL: it has faults, so the routes are not known */
	struct err no_config;    /* the first of them */
	struct router **routers; /* of each sink; made when needed */
	struct journal *journal;
	struct journal_reader *reader;
	patchbay_call call;
};

/* Prints to stderr what is wrong. Close it in any case. */
int view_open(struct view *, const char *command, const char *config_path);
void view_close(struct view *);

struct view_delivery { /* of one event to one sink */
	char *sink;
	enum journal_state state; /* OWED only where a route leads there, if the routes are known */
	uint32_t attempts;
	int64_t at_ms, due_ms;
	char *class_, *why;
};
struct view_deliveries {
	struct view_delivery *v;
	size_t n;
};

/* Every sink that the journal knows for this event. Free them. None for what is no event. */
int view_deliveries(struct view *, struct journal_pos at, const struct journal_record *, struct view_deliveries *ret,
		    struct err *err);
void view_deliveries_free(struct view_deliveries *);

const char *view_state_name(enum journal_state);             /* "done", "not routed" */
const char *view_status_name(const struct journal_record *); /* "event", "test", "duplicate", "malformed", "refused" */
const char *view_dedupe_name(const struct journal_record *); /* "strong", "weak", "none" */

#endif
