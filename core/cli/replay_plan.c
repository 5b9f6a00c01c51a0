/* replay_plan.c - see replay.h. */
#include "cli/replay.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct planning {
	struct view *view;
	const struct replay_order *order;
	struct replay_plan *plan;
	struct journal_pos at; /* of the event that is looked at */
	struct id id;
	bool by_id;
};

static struct replay_sink *sink_of(struct replay_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n; i++)
		if (strcmp(plan->sinks[i].name, name) == 0)
			return &plan->sinks[i];
	plan->sinks = xrealloc(plan->sinks, (plan->n + 1) * sizeof(*plan->sinks));
	plan->sinks[plan->n] = (struct replay_sink){ .name = xstrdup(name) };
	return &plan->sinks[plan->n++];
}

static void add(struct replay_sink *sink, struct journal_pos at, const struct id *id)
{
	if (sink->n && journal_pos_cmp(sink->v[sink->n - 1].at, at) == 0) /* an id was named twice */
		return;
	if (sink->n == sink->room) {
		sink->room = sink->room ? sink->room * 2 : 16;
		sink->v = xrealloc(sink->v, sink->room * sizeof(*sink->v));
	}
	sink->v[sink->n++] = (struct journal_replay){ .at = at, .id = *id };
}

/* ---- By what is on record as dead, or skipped */

static bool consider_dead(void *ctx, const struct journal_dead *dead)
{
	struct planning *p = ctx;
	struct journal_record record;
	struct err err = { 0 };
	if (strcmp(dead->sink, JOURNAL_SINK_ENRICH) == 0)
		return true;
	struct replay_sink *sink = sink_of(p->plan, dead->sink);
	if (journal_read_at(p->view->reader, dead->at, &record, &err) > 0 &&
	    memcmp(&record.id, &dead->id, sizeof(record.id)) == 0)
		add(sink, dead->at, &dead->id);
	else
		sink->pruned++;
	return true;
}

/* ---- By the event */

static bool class_fits(const struct planning *p, const struct journal_delivery_state *state)
{
	const char *class_ = p->order->filter.class_;
	return !class_ || strcmp(class_, state->class_ ? state->class_ : "") == 0;
}

static void consider_delivery(void *ctx, const struct journal_delivery_state *state)
{
	struct planning *p = ctx;
	const struct journal_dead_filter *filter = &p->order->filter;
	if (strcmp(state->sink, JOURNAL_SINK_ENRICH) == 0 || (filter->sink && strcmp(filter->sink, state->sink) != 0))
		return;
	struct replay_sink *sink = sink_of(p->plan, state->sink);
	bool wanted = false;
	uint64_t *left_out = &sink->other;
	switch (state->state) {
	case JOURNAL_STATE_OWED:
		left_out = &sink->owed;
		break;
	case JOURNAL_STATE_PARKED:
		wanted = !filter->class_;
		break;
	case JOURNAL_STATE_DEAD:
		wanted = class_fits(p, state);
		break;
	case JOURNAL_STATE_SKIPPED:
		wanted = filter->skipped || p->order->force;
		left_out = &sink->skipped;
		break;
	case JOURNAL_STATE_DONE:
		wanted = p->order->force;
		left_out = &sink->delivered;
		break;
	case JOURNAL_STATE_NOT_ROUTED:
		wanted = p->order->force && p->by_id && filter->sink;
		left_out = &sink->unrouted;
		break;
	}
	if (wanted)
		add(sink, p->at, &p->id);
	else
		++*left_out;
}

static int consider_event(struct planning *p, const struct journal_record *record, struct err *err)
{
	struct journal_record released;
	p->id = record->id;
	if (record->flags & JOURNAL_FLAG_HELD) {
		struct journal_reader *reader = journal_reader_open(p->view->journal);
		int found = journal_find_released(reader, &p->id, &released, &p->at, err);
		journal_reader_close(reader);
		if (found < 0)
			return -1;
		p->plan->held += !found;
		if (!found)
			return 0;
	}
	return journal_deliveries(p->view->journal, p->at, &p->id, consider_delivery, p, err) < 0 ? -1 : 0;
}

static int plan_id(struct planning *p, const char *text, struct err *err)
{
	struct journal_record record;
	struct id id;
	struct err why = { 0 };
	int found = find_id(p->view, text, &id, &why);
	if (found == 0)
		found = journal_find(p->view->reader, &id, &record, &p->at, err) - 1;
	if (found < -1)
		return -1;
	if (found == 0 && record.kind == JOURNAL_EVENT)
		return consider_event(p, &record, err);
	p->plan->unknown++;
	if (*why.text)
		fprintf(stderr, "patchbay replay: %s\n", why.text);
	else if (found == 0)
		fprintf(stderr, "patchbay replay: %s is no event: `patchbay explain %s` says what it is\n", text, text);
	else
		fprintf(stderr,
			"patchbay replay: there is no event %s, or not any more: finished ones are kept for as long as "
			"`retention` says\n",
			text);
	return 0;
}

/* Everything that came in within that time, delivered or not. */
static int plan_received(struct planning *p, struct err *err)
{
	const struct journal_dead_filter *filter = &p->order->filter;
	struct journal_pos pos = journal_end(p->view->journal), from = pos;
	struct journal_record record;
	int got;
	while ((got = journal_read_before(p->view->reader, &pos, &record, err)) > 0 &&
	       !view_came_before(&record, filter->from_ms * NS_PER_MS))
		from = pos;
	while (got >= 0 && (got = journal_read(p->view->reader, &from, &record, &p->at, err)) > 0) {
		int64_t came_ms = record.received_ns / NS_PER_MS;
		bool within = came_ms >= filter->from_ms && (!filter->to_ms || came_ms <= filter->to_ms);
		if (within && record.kind == JOURNAL_EVENT && view_is_entry(&record) &&
		    consider_event(p, &record, err) < 0)
			return -1;
	}
	return got < 0 ? -1 : 0;
}

int replay_plan(struct view *view, const struct replay_order *order, struct replay_plan *plan, struct err *err)
{
	struct planning p = { .view = view, .order = order, .plan = plan, .by_id = order->n_ids > 0 };
	*plan = (struct replay_plan){ 0 };
	for (size_t i = 0; i < order->n_ids; i++)
		if (plan_id(&p, order->ids[i], err) < 0)
			return -1;
	if (order->n_ids)
		return 0;
	if (order->force)
		return plan_received(&p, err);
	return journal_dead(view->journal, &order->filter, consider_dead, &p, err);
}

void replay_plan_free(struct replay_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->sinks[i].name);
		free(plan->sinks[i].v);
	}
	free(plan->sinks);
	*plan = (struct replay_plan){ 0 };
}

uint64_t replay_plan_total(const struct replay_plan *plan)
{
	uint64_t total = 0;
	for (size_t i = 0; i < plan->n; i++)
		total += plan->sinks[i].n;
	return total;
}
