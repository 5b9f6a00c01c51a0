/* view.c - see view.h. */
#include "cli/view.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/load.h"
#include "cli/text.h"
#include "deliver/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reading takes the right to write, too: while no daemon runs, SQLite makes files beside its database. */
static const char *what_to_do(const char *folder)
{
	if (access(folder, R_OK | W_OK | X_OK) == 0)
		return "";
	return errno == EACCES ? "; run this as the user that patchbay runs as, or as root"
			       : "; has `patchbay serve` run with this configuration?";
}

typedef struct journal *open_journal(const char *, struct err *);

static int open_view(struct view *view, const char *command, const char *config_path, open_journal *how)
{
	struct err err = { 0 };
	*view = (struct view){ 0 };
	call_init(&view->call, 256u << 20);
	view->config = cli_load_for_looking(config_path, &view->registry, &view->no_config);
	view->folder = view->config ? xstrdup(view->config->journal) : config_journal_folder(config_path, &err);
	if (!view->folder) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	if (view->config)
		view->routers = xcalloc(view->config->n_sinks + 1, sizeof(struct router *));
	else
		fprintf(stderr,
			"%s\npatchbay %s: so the routes are not known, and what no route sends to a sink stands here "
			"as owed; `patchbay check` lists all faults\n",
			view->no_config.text, command);
	view->journal = how(view->folder, &err);
	if (!view->journal)
		fprintf(stderr, "patchbay %s: %s%s\n", command, err.text, what_to_do(view->folder));
	if (!view->journal)
		return -1;
	view->reader = journal_reader_open(view->journal);
	return 0;
}

int view_open(struct view *view, const char *command, const char *config_path)
{
	return open_view(view, command, config_path, journal_open_reader);
}

int view_open_operator(struct view *view, const char *command, const char *config_path)
{
	return open_view(view, command, config_path, journal_open_operator);
}

int view_refresh(struct view *view, struct err *err)
{
	if (journal_refresh(view->journal, err) == 0)
		return 0;
	journal_reader_close(view->reader);
	journal_close(view->journal);
	view->reader = NULL;
	view->journal = journal_open_reader(view->folder, err);
	if (!view->journal)
		return -1;
	view->reader = journal_reader_open(view->journal);
	return 0;
}

void view_close(struct view *view)
{
	for (size_t i = 0; view->routers && i < view->config->n_sinks; i++)
		router_destroy(view->routers[i]);
	free(view->routers);
	journal_reader_close(view->reader);
	journal_close(view->journal);
	free(view->folder);
	config_free(view->config);
	registry_destroy(view->registry);
	call_fini(&view->call);
}

bool view_unknown_sink(struct view *view, const char *command, const char *sink)
{
	const struct config *config = view->config;
	struct journal_sink_counts counts = { 0 };
	struct err err = { 0 };
	if (!sink || !config)
		return false;
	const char **names = xcalloc(config->n_sinks + 1, sizeof(*names));
	bool known = journal_sink_counts(view->journal, sink, &counts, &err) == 0 &&
		     (counts.parked || counts.dead || counts.skipped); /* of an earlier configuration */
	for (size_t i = 0; i < config->n_sinks; i++) {
		names[i] = config->sinks[i].name;
		known = known || strcmp(names[i], sink) == 0;
	}
	const char *nearest = known ? NULL : str_nearest(str_c(sink), names, config->n_sinks);
	if (!known)
		fprintf(stderr, "patchbay %s: there is no sink '%s' in %s%s%s%s\n", command, sink, config->path,
			nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	free(names);
	return !known;
}

static void copy_delivery(void *ctx, const struct journal_delivery_state *state)
{
	struct view_deliveries *deliveries = ctx;
	if (strcmp(state->sink, JOURNAL_SINK_ENRICH) == 0)
		return;
	deliveries->v = xrealloc(deliveries->v, (deliveries->n + 1) * sizeof(*deliveries->v));
	deliveries->v[deliveries->n++] = (struct view_delivery){
		.sink = xstrdup(state->sink),
		.state = state->state,
		.attempts = state->attempts,
		.at_ms = state->at_ms,
		.due_ms = state->due_ms,
		.class_ = xstrdup(state->class_ ? state->class_ : ""),
		.why = xstrdup(state->why ? state->why : ""),
	};
}

/* The journal calls owed whatever a sink has not come to; whether it will want it, the routes know. */
static bool leads_there(struct view *view, const char *sink, const struct journal_record *record)
{
	const struct config *config = view->config;
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery event;
	patchbay_str why;
	size_t i = 0;
	while (i < config->n_sinks && strcmp(config->sinks[i].name, sink) != 0)
		i++;
	if (i == config->n_sinks)
		return false;
	if (!view->routers[i])
		view->routers[i] = router_create(config, i);
	delivery_from_record(record, id_text, &event);
	call_begin(&view->call, 0);
	return router_match(view->routers[i], &view->call, &event, NULL, &why) != ROUTER_NOT_ROUTED;
}

bool view_is_entry(const struct journal_record *record)
{
	return record->kind != JOURNAL_ANSWER && record->kind != JOURNAL_CURSOR &&
	       !(record->kind == JOURNAL_EVENT && record->flags & JOURNAL_FLAG_RELEASED);
}

bool view_came_before(const struct journal_record *record, int64_t wall_ns)
{
	return !(record->flags & JOURNAL_FLAG_LATE) && record->received_ns < wall_ns;
}

static int deliveries_of(struct view *view, struct journal_pos at, const struct journal_record *record,
			 struct view_deliveries *ret, struct err *err)
{
	if (journal_deliveries(view->journal, at, &record->id, copy_delivery, ret, err) < 0) {
		view_deliveries_free(ret);
		return -1;
	}
	for (size_t i = 0; i < ret->n; i++)
		if (ret->v[i].state == JOURNAL_STATE_OWED && view->config && !leads_there(view, ret->v[i].sink, record))
			ret->v[i].state = JOURNAL_STATE_NOT_ROUTED;
	return 0;
}

int view_deliveries(struct view *view, struct journal_pos at, const struct journal_record *record,
		    struct view_deliveries *ret, struct err *err)
{
	*ret = (struct view_deliveries){ 0 };
	if (record->kind != JOURNAL_EVENT)
		return 0;
	if (!(record->flags & JOURNAL_FLAG_HELD))
		return deliveries_of(view, at, record, ret, err);
	struct journal_reader *reader = journal_reader_open(view->journal); /* the record may be the other one's */
	struct journal_record released;
	int found = journal_find_released(reader, &record->id, &released, &at, err);
	int result = found < 0 ? -1 : found == 0 ? 0 : deliveries_of(view, at, &released, ret, err);
	ret->held = found == 0;
	journal_reader_close(reader);
	return result;
}

int view_explain_owed(struct view *view, struct view_deliveries *deliveries, struct err *err)
{
	for (size_t i = 0; i < deliveries->n; i++) {
		struct view_delivery *delivery = &deliveries->v[i];
		struct journal_failing failing;
		char id[ID_TEXT_SIZE], time[TEXT_TIME_SIZE];
		if (delivery->state != JOURNAL_STATE_OWED)
			continue;
		int got = journal_failing(view->journal, delivery->sink, &failing, err);
		if (got < 0)
			return -1;
		if (got == 0)
			continue;
		id_format(&failing.id, id);
		free(delivery->why);
		delivery->why = xasprintf("waits until the destination works; last tried %s, with %s: %s",
					  text_time(failing.at_ms * NS_PER_MS, time), id, failing.why);
		free(failing.why);
	}
	return 0;
}

void view_deliveries_free(struct view_deliveries *deliveries)
{
	for (size_t i = 0; i < deliveries->n; i++) {
		free(deliveries->v[i].sink);
		free(deliveries->v[i].class_);
		free(deliveries->v[i].why);
	}
	free(deliveries->v);
	*deliveries = (struct view_deliveries){ 0 };
}

const char *view_state_name(enum journal_state state)
{
	switch (state) {
	case JOURNAL_STATE_OWED:
		return "owed";
	case JOURNAL_STATE_PARKED:
		return "parked";
	case JOURNAL_STATE_DONE:
		return "done";
	case JOURNAL_STATE_DEAD:
		return "dead";
	case JOURNAL_STATE_SKIPPED:
		return "skipped";
	case JOURNAL_STATE_NOT_ROUTED:
		return "not routed";
	}
	return "unknown";
}

const char *view_status_name(const struct journal_record *record)
{
	switch (record->kind) {
	case JOURNAL_EVENT:
		return record->flags & JOURNAL_FLAG_TEST ? "test" : "event";
	case JOURNAL_DUPLICATE:
		return "duplicate";
	case JOURNAL_MALFORMED:
		return "malformed";
	case JOURNAL_REFUSED:
		return "refused";
	}
	return "unknown";
}

const char *view_dedupe_name(const struct journal_record *record)
{
	switch (record->dedupe) {
	case PATCHBAY_DEDUPE_UNANSWERED:
		return "weak";
	case PATCHBAY_DEDUPE_NONE:
		return "none";
	default:
		return "strong";
	}
}
