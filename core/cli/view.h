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
	char *folder;
	struct journal *journal; /* as it was when it was opened */
	struct journal_reader *reader;
	patchbay_call call;
};

/* Prints to stderr what is wrong. Close it in any case. */
int view_open(struct view *, const char *command, const char *config_path);
/* The same, for who may also replay deliveries. */
int view_open_operator(struct view *, const char *command, const char *config_path);
void view_close(struct view *);
/* Sees what has come since. What was read before is gone. */
int view_refresh(struct view *, struct err *err);

/* Is this a sink that neither the configuration nor the journal's records know? Says so on stderr. NULL is fine. */
bool view_unknown_sink(struct view *, const char *command, const char *sink);

struct view_delivery { /* of one event to one sink */
	char *sink;
	enum journal_state state; /* OWED only where a route leads there, if the routes are known */
	uint32_t attempts;
	int64_t at_ms, due_ms;
	char *class_, *why; /* OWED: what keeps the sink from working, "" if nothing is known to */
};
struct view_deliveries {
	struct view_delivery *v;
	size_t n;
	bool held; /* the event waits for its details, and is routed when they are there */
};

/* Is it something that came in? Not so: what the journal notes about answers, cursors and details. */
bool view_is_entry(const struct journal_record *);
/* Did it come before that time, so that all before it did? Not known of what was received long before it was stored. */
bool view_came_before(const struct journal_record *, int64_t wall_ns);

/* Every sink that the journal knows for this event, without what is the host's own. Free them. None for what is no
 * event, and for one that is held. */
int view_deliveries(struct view *, struct journal_pos at, const struct journal_record *, struct view_deliveries *ret,
		    struct err *err);
void view_deliveries_free(struct view_deliveries *);
/* Adds to what is owed why it waits: what the last attempt of that sink came to, if nothing has worked since. */
int view_explain_owed(struct view *, struct view_deliveries *, struct err *err);

const char *view_state_name(enum journal_state);             /* "done", "not routed" */
const char *view_status_name(const struct journal_record *); /* "event", "test", "duplicate", "malformed", "refused" */
const char *view_dedupe_name(const struct journal_record *); /* "strong", "weak", "none" */

#endif
