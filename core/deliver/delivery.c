/* delivery.c - see delivery.h. */
#include "deliver/delivery.h"

void delivery_from_record(const struct journal_record *record, char id_text[ID_TEXT_SIZE], patchbay_delivery *ret)
{
	id_format(&record->id, id_text);
	*ret = (patchbay_delivery){
		.size = sizeof(*ret),
		.attempt = 1,
		.time_source = record->time_ns ? PATCHBAY_TIME_PROVIDER : PATCHBAY_TIME_RECEIVED,
		.test = (record->flags & JOURNAL_FLAG_TEST) != 0,
		.id = { id_text, ID_TEXT_SIZE - 1 },
		.source = record->source,
		.plugin = record->plugin,
		.type = record->type,
		.kind = record->kind_name.n ? record->kind_name : record->type,
		.subject = record->subject,
		.data = record->data,
		.time_ns = record->time_ns ? record->time_ns : record->received_ns,
		.received_ns = record->received_ns,
	};
	if (record->flags & JOURNAL_FLAG_RELEASED) {
		ret->details = record->request;
		ret->details_error = record->request.n ? STR("") : record->note;
	}
	switch (record->dedupe) {
	case PATCHBAY_DEDUPE_UNANSWERED:
		ret->dedupe = PATCHBAY_WEAK;
		break;
	case PATCHBAY_DEDUPE_NONE:
		ret->dedupe = PATCHBAY_NONE;
		break;
	default:
		ret->dedupe = PATCHBAY_STRONG;
	}
}

patchbay_delivery *delivery_copy(struct arena *arena, const patchbay_delivery *from)
{
	patchbay_delivery *to = arena_alloc(arena, sizeof(*to));
	*to = *from;
	to->id = arena_copy(arena, from->id);
	to->source = arena_copy(arena, from->source);
	to->plugin = arena_copy(arena, from->plugin);
	to->type = arena_copy(arena, from->type);
	to->kind = arena_copy(arena, from->kind);
	to->subject = arena_copy(arena, from->subject);
	to->data = arena_copy(arena, from->data);
	to->route = arena_copy(arena, from->route);
	to->details = arena_copy(arena, from->details);
	to->details_error = arena_copy(arena, from->details_error);
	return to;
}

size_t delivery_bytes(const patchbay_delivery *delivery)
{
	return sizeof(*delivery) + delivery->id.n + delivery->source.n + delivery->plugin.n + delivery->type.n +
	       delivery->kind.n + delivery->subject.n + delivery->data.n + delivery->route.n + delivery->details.n +
	       delivery->details_error.n;
}
