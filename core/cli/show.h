/* show.h - what `patchbay show` found out about one event, and the two ways to print it. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/view.h"

struct show_repeat {
	struct id id;
	int64_t received_ns;
	char *client;
};

struct show_attempt {
	char *sink, *result, *why;
	uint32_t number;
	int64_t at_ms, took_ms;
};

struct show_route {
	const struct config_route *route;
	enum router_reason reason;
	char *why; /* ROUTER_WHEN_ERROR, else "" */
};

struct show {
	struct view *view;
	struct journal_record record; /* the reader's */
	char id[ID_TEXT_SIZE];
	struct show_route *routes;
	size_t n_routes;
	struct view_deliveries deliveries;
	struct show_attempt *attempts;
	size_t n_attempts;
	struct show_repeat *repeats;
	size_t n_repeats;
};

void show_text(const struct show *);
void show_json(const struct show *);

/* "fleet, campus" or "*"; "audit, safety". The caller frees. */
char *show_sources_of(const struct config *, const struct config_route *);
char *show_sinks_of(const struct config *, const struct config_route *);

#endif
