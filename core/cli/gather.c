/* gather.c - everything that is known about one event or quarantined request. */
#include "cli/show.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/find.h"
#include "deliver/delivery.h"
#include "source/quarantine.h"

#include <stdlib.h>
#include <string.h>

#define REPEATS_SCAN_MAX 500000                  /* records behind an event that are searched for its repeats, */
#define REPEATS_WINDOW_NS (NS_PER_S * 3600 * 48) /* and how long after it */

bool show_is_quarantined(const struct show *show)
{
	return show->record.kind == JOURNAL_MALFORMED || show->record.kind == JOURNAL_REFUSED;
}

static void find_repeats(struct show *show, struct journal_pos pos)
{
	struct journal_reader *reader = journal_reader_open(show->view->journal);
	struct journal_record record;
	struct err err = { 0 };
	int got;
	for (int i = 0; i < REPEATS_SCAN_MAX && (got = journal_read(reader, &pos, &record, NULL, &err)) != 0; i++) {
		if (got < 0)
			continue;
		if (record.received_ns > show->record.received_ns + REPEATS_WINDOW_NS)
			break;
		if (record.kind != JOURNAL_DUPLICATE ||
		    memcmp(&record.original, &show->record.id, sizeof(record.id)) != 0)
			continue;
		show->repeats = xrealloc(show->repeats, (show->n_repeats + 1) * sizeof(*show->repeats));
		show->repeats[show->n_repeats++] = (struct show_repeat){
			.id = record.id,
			.received_ns = record.received_ns,
			.client = xstrndup(record.client.n ? record.client.p : "", record.client.n),
		};
	}
	journal_reader_close(reader);
}

static void find_routes(struct show *show)
{
	struct view *view = show->view;
	struct router *router = router_create(view->config, ROUTER_ALL_SINKS);
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery event;
	delivery_from_record(show->released.kind ? &show->released : &show->record, id_text, &event);
	call_begin(&view->call, 0);
	show->n_routes = router_count(router);
	show->routes = xcalloc(show->n_routes + 1, sizeof(*show->routes));
	for (size_t i = 0; i < show->n_routes; i++) {
		struct show_route *route = &show->routes[i];
		route->route = router_route(router, i);
		route->reason = router_check(router, i, &view->call, &event);
		route->why = show_verdict(&view->call, view->config, route->route, route->reason, &event);
	}
	router_destroy(router);
}

static const char *failed_check(struct show *show)
{
	static const char *const names[] = {
		[QUARANTINE_PATH_SECRET] = "path_secret",
		[QUARANTINE_VERIFY] = "verify",
		[QUARANTINE_PARSE] = "parse",
	};
	struct quarantined q;
	struct err err = { 0 };
	call_begin(&show->view->call, 0);
	return quarantine_read(&show->view->call, &show->record, &q, &err) ? names[q.check] : NULL;
}

static int find_admitted(struct show *show, const struct id *id, struct err *err)
{
	show->failed_check = failed_check(show);
	struct id event;
	int got = journal_recovered(show->view->journal, id, &event, &show->admitted_ms, err);
	if (got > 0)
		id_format(&event, show->admitted);
	return got < 0 ? -1 : 0;
}

static void note_fetch(void *ctx, const struct journal_delivery_state *state)
{
	struct show *show = ctx;
	if (strcmp(state->sink, JOURNAL_SINK_ENRICH) == 0 && state->state == JOURNAL_STATE_PARKED)
		show->fetch_due_ms = state->due_ms;
}

static int find_released(struct show *show, const struct id *id, struct journal_pos held, struct err *err)
{
	struct journal_pos at;
	if (!(show->record.flags & JOURNAL_FLAG_HELD))
		return 0;
	show->reader = journal_reader_open(show->view->journal);
	int got = journal_find_released(show->reader, id, &show->released, &at, err);
	if (got > 0)
		return 0;
	show->released = (struct journal_record){ 0 };
	return got < 0 || journal_deliveries(show->view->journal, held, id, note_fetch, show, err) < 0 ? -1 : 0;
}

static int gather(struct show *show, const struct id *id, struct err *err)
{
	struct view *view = show->view;
	struct journal_pos at;
	id_format(id, show->id);
	int got = journal_find(view->reader, id, &show->record, &at, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err,
			       "there is no event %s, or not any more; `patchbay events` lists those that there are",
			       show->id);
	if (show_is_quarantined(show))
		return find_admitted(show, id, err);
	if (show->record.kind != JOURNAL_EVENT)
		return 0;
	if (find_released(show, id, at, err) < 0 ||
	    view_deliveries(view, at, &show->record, &show->deliveries, err) < 0 ||
	    view_explain_owed(view, &show->deliveries, err) < 0 ||
	    attempts_load(view->journal, id, &show->attempts, err) < 0)
		return -1;
	if (view->config)
		find_routes(show);
	find_repeats(show, at);
	return 0;
}

int show_gather(struct show *show, struct view *view, const char *text, struct err *err)
{
	struct id id;
	*show = (struct show){ .view = view };
	return find_id(view, text, &id, err) < 0 ? -1 : gather(show, &id, err);
}

void show_forget(struct show *show)
{
	view_deliveries_free(&show->deliveries);
	attempts_free(&show->attempts);
	for (size_t i = 0; i < show->n_repeats; i++)
		free(show->repeats[i].client);
	for (size_t i = 0; i < show->n_routes; i++)
		free(show->routes[i].why);
	free(show->repeats);
	free(show->routes);
	journal_reader_close(show->reader);
}
