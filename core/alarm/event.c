/* event.c - see event.h. */
#include "alarm/event.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

static void add_time(struct buf *out, const char *name, int64_t ms)
{
	char iso[CLOCK_ISO_SIZE];
	clock_format_iso(ms * NS_PER_MS, iso);
	buf_addf(out, ",\"%s\":\"%s\"", name, iso);
}

static void write_data(const struct alarm *alarm, int64_t ended_ms, struct buf *out)
{
	const struct alarm_type *type = &alarm_types[alarm->id];
	char span[CLOCK_SPAN_SIZE];
	struct buf message = { 0 };
	if (ended_ms)
		buf_addf(&message, "over, after %s: ", alarm_show_span(ended_ms - alarm->since_ms, span));
	buf_add_str(&message, str_c(alarm->text));
	buf_addf(out, "{\"alarm\":\"%s\",\"state\":\"%s\",\"what\":\"%s\",\"about\":", type->name,
		 ended_ms ? "cleared" : "raised", alarm->what);
	buf_add_json_string(out, str_c(alarm->about));
	buf_addf(out, ",\"severity\":\"%s\"", type->error ? "error" : "warning");
	add_time(out, "since", alarm->since_ms);
	if (ended_ms)
		add_time(out, "until", ended_ms);
	if (type->repeats && !ended_ms)
		buf_addf(out, ",\"count\":%" PRIu64, alarm->count);
	buf_addf(out, ",\"message\":");
	buf_add_json_string(out, buf_str(&message));
	buf_addf(out, "}");
	buf_free(&message);
}

void alarm_event_of(patchbay_str type, patchbay_str about, patchbay_str data, struct journal_record *ret)
{
	*ret = (struct journal_record){
		.kind = JOURNAL_EVENT,
		.dedupe = PATCHBAY_DEDUPE_KEY,
		.source = STR(CONFIG_OWN_SOURCE),
		.plugin = STR(CONFIG_OWN_SOURCE),
		.type = type,
		.kind_name = type,
		.subject = about,
		.note = STR("Patchbay itself made it"),
		.data = data,
	};
}

/* The key is the same for the same news, when it is not known whether an earlier process came to tell it, and for no
 * other: by when it was raised, and of what repeats by how many there are, and when that was told last. */
void alarm_event(const struct standing *s, enum standing_news news, int64_t told_ms, int64_t now_ms, struct buf *data,
		 struct buf *key, struct journal_record *ret)
{
	const struct alarm *alarm = &s->alarm;
	const char *name = alarm_types[alarm->id].name;
	bool over = news == STANDING_CLEARED;
	data->n = key->n = 0;
	write_data(alarm, over ? s->ended_ms : 0, data);
	buf_addf(key, "%s %s %s %" PRId64 " %d", name, alarm->what, alarm->about, s->raised_ms, over);
	if (alarm_types[alarm->id].repeats && !over)
		buf_addf(key, " %" PRId64 " %" PRIu64, told_ms, alarm->total);
	alarm_event_of(str_c(name), str_c(alarm->about), buf_str(data), ret);
	ret->id = id_new_own(now_ms * NS_PER_MS);
	ret->received_ns = now_ms * NS_PER_MS;
	ret->time_ns = (over ? s->ended_ms : news == STANDING_MORE ? now_ms : s->raised_ms) * NS_PER_MS;
	ret->key = buf_str(key);
}

void alarm_event_example(enum alarm_id id, const char *remark, struct buf *data)
{
	struct alarm alarm = {
		.id = id, .what = alarm_types[id].example.what, .count = 7, .since_ms = INT64_C(1767225600000)
	};
	snprintf(alarm.about, sizeof alarm.about, "%s", alarm_types[id].example.about);
	snprintf(alarm.text, sizeof alarm.text, "%s%s", remark, alarm_types[id].example.text);
	write_data(&alarm, 0, data);
}
