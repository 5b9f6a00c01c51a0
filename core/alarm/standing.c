/* standing.c - see standing.h. */
#include "alarm/standing.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "alarm "

static struct standing *find(const struct standings *s, const struct alarm *alarm)
{
	for (size_t i = 0; i < s->n; i++)
		if (alarm_is_same(&s->v[i].alarm, alarm))
			return &s->v[i];
	return NULL;
}

static struct standing *add(struct standings *s, const struct alarm *alarm)
{
	s->v = xrealloc(s->v, (s->n + 1) * sizeof *s->v);
	s->v[s->n] = (struct standing){ .alarm = *alarm };
	return &s->v[s->n++];
}

/* Over, and there again before anybody was told: it was never away. */
static void take(struct standing *known, const struct alarm *alarm)
{
	known->found = true;
	known->carried = false;
	known->ended_ms = 0;
	if (known->pending)
		return;
	known->alarm.count = alarm->count;
	known->alarm.total = alarm->total;
	if (!known->raised_ms || alarm->count) /* else as it was said last */
		memcpy(known->alarm.text, alarm->text, sizeof known->alarm.text);
}

void standings_update(struct standings *s, const struct alarm_list *found, int64_t now_ms, int64_t grace_ms,
		      bool settled)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i].found = s->v[i].just_raised = s->v[i].just_ended = false;
	for (size_t i = 0; i < found->n; i++) {
		const struct alarm *alarm = &found->v[i];
		struct standing *known = find(s, alarm);
		if (!known) {
			known = add(s, alarm);
			if (!alarm->since_ms || alarm->since_ms > now_ms)
				known->alarm.since_ms = now_ms;
		}
		if (known->found)
			continue;
		take(known, alarm);
		bool old = !alarm_types[alarm->id].patient || now_ms - known->alarm.since_ms >= grace_ms ||
			   now_ms < known->alarm.since_ms; /* the clock was set back */
		if (known->raised_ms || !old)
			continue;
		known->raised_ms = now_ms;
		known->just_raised = true;
	}
	for (size_t i = s->n; i-- > 0;) {
		struct standing *known = &s->v[i];
		if (known->found || (known->carried && !settled) || known->ended_ms)
			continue;
		if (!known->raised_ms) {
			standings_drop(s, i);
			continue;
		}
		known->ended_ms = now_ms;
		known->just_ended = true;
	}
}

enum standing_news standing_news(const struct standing *s, int64_t told_ms, int64_t now_ms, int64_t grace_ms)
{
	const struct alarm_type *type = &alarm_types[s->alarm.id];
	if (!s->raised_ms || s->done)
		return STANDING_NOTHING;
	if (s->pending)
		return s->told ? STANDING_MORE : STANDING_RAISED;
	bool rested = now_ms - told_ms >= grace_ms || now_ms < told_ms;
	if (!s->told && type->repeats && (!rested || !s->alarm.count)) /* it was over in between */
		return STANDING_NOTHING;
	if (!s->told)
		return !s->ended_ms || type->late ? STANDING_RAISED : STANDING_NOTHING;
	if (s->ended_ms)
		return STANDING_CLEARED;
	return type->repeats && s->alarm.count && rested ? STANDING_MORE : STANDING_NOTHING;
}

bool standing_is_done(const struct standing *s)
{
	return s->done || (s->ended_ms && !s->told && !alarm_types[s->alarm.id].late);
}

void standings_drop(struct standings *s, size_t i)
{
	free(s->v[i].saved);
	s->n--;
	memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof *s->v);
}

void standings_free(struct standings *s)
{
	while (s->n)
		standings_drop(s, s->n - 1);
	free(s->v);
	*s = (struct standings){ 0 };
}

void standing_write(const struct standing *s, struct buf *name, struct buf *value)
{
	const struct alarm *alarm = &s->alarm;
	buf_addf(name, NAME "%s %s %s", alarm_types[alarm->id].name, alarm->what[0] ? alarm->what : "-", alarm->about);
	buf_addf(value, "%" PRId64 " %" PRId64 " %" PRId64 " %d", alarm->since_ms, s->raised_ms, s->ended_ms, s->told);
	buf_addf(value, " %" PRIu64 " %" PRIu64 " %s", s->pending ? alarm->count : 0, s->pending ? alarm->total : 0,
		 alarm->text);
}

bool standing_read(struct standings *s, patchbay_str name, patchbay_str value)
{
	char type[64], what[16], about[CONFIG_NAME_SIZE] = "";
	struct standing read = { .carried = true };
	struct buf copy = { 0 };
	int at = 0, told = 0;
	buf_addf(&copy, "%.*s", STR_ARG(name));
	bool good = sscanf(buf_cstr(&copy), NAME "%63s %15s %63[^\n]", type, what, about) >= 2;
	read.alarm.id = good ? alarm_find(str_c(type)) : ALARM_TYPES;
	copy.n = 0;
	buf_add_str(&copy, value);
	good = read.alarm.id < ALARM_TYPES &&
	       sscanf(buf_cstr(&copy), "%" SCNd64 " %" SCNd64 " %" SCNd64 " %d %" SCNu64 " %" SCNu64 " %n",
		      &read.alarm.since_ms, &read.raised_ms, &read.ended_ms, &told, &read.alarm.count,
		      &read.alarm.total, &at) == 6;
	if (good) {
		read.told = told;
		read.pending = read.alarm.count > 0;
		read.alarm.what = alarm_what(str_c(what));
		memcpy(read.alarm.about, about, sizeof about);
		snprintf(read.alarm.text, sizeof read.alarm.text, "%s", copy.p + at);
		read.saved = xstrndup(value.p, value.n);
		*add(s, &read.alarm) = read;
	}
	buf_free(&copy);
	return good;
}
