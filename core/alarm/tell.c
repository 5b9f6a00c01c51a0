/* tell.c - tells what has come to stand, or is over: the log, and sinks by events in the journal. */
#include "alarm/internal.h"

#include "alarm/event.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

/* ---- The log */

static struct log_about about_of(const struct alarm *alarm)
{
	return (struct log_about){ .source = strcmp(alarm->what, "source") == 0 ? alarm->about : NULL,
				   .sink = strcmp(alarm->what, "sink") == 0 ? alarm->about : NULL };
}

void alarms_log(const struct standing *s)
{
	const struct log_about about = about_of(&s->alarm);
	const struct alarm_type *type = &alarm_types[s->alarm.id];
	char span[CLOCK_SPAN_SIZE];
	if (type->in_log || type->repeats)
		return;
	if (s->just_raised)
		log_about(type->error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &about, "alarm %s: %s", type->name,
			  s->alarm.text);
	else if (s->just_ended)
		log_about(LOG_LEVEL_INFO, &about, "alarm %s is over, after %s: %s", type->name,
			  alarm_show_span(s->ended_ms - s->alarm.since_ms, span), s->alarm.text);
}

/* ---- Sinks */

static int append(struct alarms *a, const struct journal_record *record, struct err *err)
{
	struct journal_ticket ticket = { .n = 1 };
	journal_encode(&ticket.records, record);
	int result = journal_append_wait(a->parts.journal, &ticket, err);
	buf_free(&ticket.records);
	return result;
}

static bool append_news(struct alarms *a, const struct standing *s, enum standing_news news, int64_t told_ms,
			int64_t now)
{
	static struct log_limit limit;
	struct buf data = { 0 }, key = { 0 };
	struct journal_record record;
	struct err err;
	alarm_event(s, news, told_ms, now, &data, &key, &record);
	bool good = append(a, &record, &err) == 0;
	if (!good)
		log_limited(&limit, LOG_LEVEL_WARNING, "alarm %s cannot be told to sinks now, which is tried again: %s",
			    alarm_types[s->alarm.id].name, err.text);
	buf_free(&data);
	buf_free(&key);
	return good;
}

/* Of what repeats, each time it is told is a line. */
bool alarms_begin_to_tell(struct alarms *a, int64_t now)
{
	bool any = false;
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->standings.n; i++) {
		struct standing *s = &a->standings.v[i];
		const struct alarm_type *type = &alarm_types[s->alarm.id];
		const struct tally *t = alarms_tally(a, s->alarm.id, s->alarm.what, s->alarm.about);
		const struct log_about about = about_of(&s->alarm);
		enum standing_news news =
			standing_news(s, t ? t->told_ms : 0, now, a->generation->config->alarms.grace_ms);
		if (!type->repeats || s->pending || (news != STANDING_RAISED && news != STANDING_MORE))
			continue;
		if (!type->in_log)
			log_about(LOG_LEVEL_WARNING, &about, "alarm %s: %s", type->name, s->alarm.text);
		any = s->pending = true;
	}
	pthread_mutex_unlock(&a->lock);
	return any;
}

static void told(struct alarms *a, struct standing *s, enum standing_news news, int64_t now)
{
	s->told = true;
	s->done = news == STANDING_CLEARED;
	if (!s->pending)
		return;
	struct tally *t = alarms_tally_add(a, s->alarm.id, s->alarm.what, s->alarm.about);
	t->told = s->alarm.total;
	t->told_ms = now;
	s->pending = false;
	s->alarm.count = 0;
}

/* One alarm, at position i of the list. True: that is done. The journal is not waited for with the lock held; nobody
 * but this thread changes the list. */
static bool tell(struct alarms *a, size_t i, int64_t now)
{
	pthread_mutex_lock(&a->lock);
	struct standing s = a->standings.v[i];
	const struct config *config = a->generation->config;
	const struct tally *t = alarms_tally(a, s.alarm.id, s.alarm.what, s.alarm.about);
	int64_t told_ms = t ? t->told_ms : 0;
	enum standing_news news = standing_news(&s, told_ms, now, config->alarms.grace_ms);
	bool routed = config_routes_own(config);
	pthread_mutex_unlock(&a->lock);
	if (news == STANDING_NOTHING || (!routed && !s.pending))
		return false;
	if (routed && !append_news(a, &s, news, told_ms, now))
		return false;
	pthread_mutex_lock(&a->lock);
	told(a, &a->standings.v[i], news, now);
	pthread_mutex_unlock(&a->lock);
	return true;
}

/* Whatever is over and needs no more words. */
static void drop_done(struct alarms *a)
{
	pthread_mutex_lock(&a->lock);
	bool routed = config_routes_own(a->generation->config);
	for (size_t i = a->standings.n; i-- > 0;) {
		struct buf name = { 0 }, value = { 0 };
		struct standing *s = &a->standings.v[i];
		if (!s->ended_ms || (routed && !standing_is_done(s)))
			continue;
		standing_write(s, &name, &value);
		if (s->saved)
			names_add(&a->gone, xstrdup(buf_cstr(&name)));
		standings_drop(&a->standings, i);
		buf_free(&name);
		buf_free(&value);
	}
	pthread_mutex_unlock(&a->lock);
}

bool alarms_tell(struct alarms *a, int64_t now)
{
	bool any = false;
	for (size_t i = 0; i < a->standings.n; i++)
		while (tell(a, i, now)) /* of what is over already, both */
			any = true;
	drop_done(a);
	return any;
}

int alarms_try(struct alarms *a, enum alarm_id id, struct id *ret, struct err *err)
{
	struct buf data = { 0 }, key = { 0 };
	struct journal_record record;
	char text[ID_TEXT_SIZE];
	pthread_mutex_lock(&a->lock);
	bool routed = config_routes_own(a->generation->config);
	pthread_mutex_unlock(&a->lock);
	if (!routed)
		return err_set(err, "no route of the configuration that is at work says 'from: " CONFIG_OWN_SOURCE
				    "', so no alarm goes to any sink");
	alarm_event_example(id, "only a trial: ", &data);
	alarm_event_of(str_c(alarm_types[id].name), str_c(alarm_types[id].example.about), buf_str(&data), &record);
	record.received_ns = record.time_ns = clock_wall_ns();
	record.id = id_new_own(record.received_ns);
	id_format(&record.id, text);
	buf_addf(&key, "trial %s", text);
	record.key = buf_str(&key);
	int result = append(a, &record, err);
	*ret = record.id;
	buf_free(&data);
	buf_free(&key);
	return result;
}
