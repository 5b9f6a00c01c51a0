/* show.h - what `patchbay show` and `patchbay explain` found out about one event or quarantined request, and the ways
 * to print it: the short page, the whole page, and JSON. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/attempts.h"
#include "cli/view.h"

struct show_repeat {
	struct id id;
	int64_t received_ns;
	char *client;
};

struct show_route {
	const struct config_route *route;
	enum router_reason reason;
	char *why; /* the clause that decided, with the values; "" where it matches */
};

struct show {
	struct view *view;
	struct journal_record record; /* the view's reader's */
	char id[ID_TEXT_SIZE];
	struct journal_reader *reader;  /* of `released` */
	struct journal_record released; /* kind 0: was not held, or still is */
	int64_t fetch_due_ms;           /* held: when its details are asked for again; 0: at the first opportunity */
	struct show_route *routes;
	size_t n_routes;
	struct view_deliveries deliveries;
	struct attempts attempts;
	struct show_repeat *repeats;
	size_t n_repeats;
	const char *failed_check;    /* that a quarantined request failed: "verify", ...; NULL: not known */
	char admitted[ID_TEXT_SIZE]; /* the event that a quarantined request became after all; "" */
	int64_t admitted_ms;
};

/* Finds the event, and gathers all of this. Forget it in any case. */
int show_gather(struct show *, struct view *, const char *id, struct err *err);
void show_forget(struct show *);

bool show_is_quarantined(const struct show *);

void show_text(const struct show *);    /* the short page */
void show_explain(const struct show *); /* the whole page */
void show_json(const struct show *);
void show_raw(const struct show *); /* the bytes that came, behind the headers where they are kept */
void show_raw_data(const struct show *);

/* The request line and headers of a quarantined request, as they came, without what Patchbay noted among them. The
 * caller frees. */
void show_request(const struct show *, struct buf *ret);

/* Parts of both pages: what it is and where it came from; one delivery in a line; the data. */
void show_envelope(const struct show *);
void show_delivery(const struct view_delivery *);
void show_data(const struct show *);

/* The file as people call it: "routes.yaml". */
const char *show_config_name(const struct config *);
/* "fleet, campus" or "*"; "audit, safety". The caller frees. */
char *show_sources_of(const struct config *, const struct config_route *);
char *show_sinks_of(const struct config *, const struct config_route *);

/* Why a route did not take an event, as far as it is not obvious: the clause, and the values. The call must be begun
 * for the event. The caller frees. */
char *show_verdict(patchbay_call *, const struct config *, const struct config_route *, enum router_reason,
		   const patchbay_delivery *);

#endif
