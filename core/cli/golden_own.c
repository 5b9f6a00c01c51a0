/* golden_own.c - a test about an event that Patchbay makes itself. */
#include "cli/golden.h"

#include "alarm/event.h"
#include "base/json.h"
#include "deliver/delivery.h"

/* In the call's memory; empty if there is none. */
static patchbay_str member(patchbay_call *call, const patchbay_json *json, const char *name)
{
	return json_text(call, json_find(call, json, name, false));
}

int golden_own(struct golden_bench *b, const struct golden_test *t, struct golden_outcome *ret, struct err *err)
{
	patchbay_call *call = &b->request;
	struct buf example = { 0 };
	struct journal_record record;
	patchbay_delivery delivery;
	char id_text[ID_TEXT_SIZE];

	*ret = (struct golden_outcome){ .verdict = GOLDEN_ACCEPTED,
					.why = STR("Patchbay itself made it"),
					.n_events = 1 };
	call_begin(call, 0);
	call_begin(&b->event, 0);
	if (t->sample.n)
		alarm_event_example((enum alarm_id)t->sample_index, "", &example);
	patchbay_str data = t->sample.n ? arena_copy(&call->arena, buf_str(&example)) : t->body;
	buf_free(&example);
	if (golden_edit(call, t->set, &data, err) < 0)
		return -1;
	const patchbay_json *json = json_parse(call, data);
	patchbay_str type = json ? member(call, json, "alarm") : STR("");
	if (!type.n)
		return err_set(err,
			       "the data of an event of Patchbay's own is JSON with a member 'alarm'; take a 'sample'");
	alarm_event_of(type, member(call, json, "about"), data, &record);
	record.id = (struct id){ { [6] = 0x70, [8] = 0x80, [15] = 1 } }; /* the same in every run */
	record.received_ns = record.time_ns = t->received_ns;
	delivery_from_record(&record, id_text, &delivery);
	ret->event = delivery_copy(&b->event.arena, &delivery);
	return 0;
}
