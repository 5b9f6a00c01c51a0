/* alarms.c - see alarms.h. */
#include "alarm/internal.h"

#include "alarm/event.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000
#define LOOK_LEAST_MS 20
#define LOOKS 4         /* within the shortest time that anybody wants to hear of */
#define SETTLED_TIMES 2 /* times `grace` after the start: what stood before is over if it was not found again */
#define SAVE_NS (60 * NS_PER_S)

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

/* ---- Looking */

struct deaths {
	struct died *v;
	size_t n;
};

static void take_died(void *ctx, const char *sink, uint64_t died)
{
	struct deaths *deaths = ctx;
	deaths->v = xrealloc(deaths->v, (deaths->n + 1) * sizeof *deaths->v);
	snprintf(deaths->v[deaths->n].sink, sizeof deaths->v->sink, "%s", sink);
	deaths->v[deaths->n++].n = died;
}

/* What has to be asked of the disk. */
static void count_dead(struct alarms *a)
{
	static struct log_limit limit;
	struct deaths deaths = { 0 };
	struct err err;
	if (journal_died(a->parts.journal, take_died, &deaths, &err) != 0) {
		log_limited(&limit, LOG_LEVEL_WARNING, "alarms: %s", err.text);
		free(deaths.v);
		return;
	}
	pthread_mutex_lock(&a->lock);
	free(a->died);
	a->died = deaths.v;
	a->n_died = deaths.n;
	pthread_mutex_unlock(&a->lock);
}

static void hear(struct alarms *a, int64_t wall_ms)
{
	int64_t now = clock_steady_ns();
	struct enricher_stats enriched;
	size_t n;
	struct poller_stats *polled = alarm_polled(a->parts.poller, &n);
	int64_t ms = (now - a->looked_ns) / NS_PER_MS;
	sources_hear(&a->sources, polled, n, ms, wall_ms);
	free(polled);
	enricher_stats(a->parts.enricher, &enriched);
	if (enriched.with_details != a->enriched.with_details)
		a->details = (struct streak){ 0 };
	streak_go_on(&a->details, enriched.without - a->enriched.without, wall_ms);
	a->enriched = enriched;
	a->looked_ns += ms * NS_PER_MS;
}

static struct log_about what_of(const struct alarm *alarm)
{
	return (struct log_about){ .source = strcmp(alarm->what, "source") == 0 ? alarm->about : NULL,
				   .sink = strcmp(alarm->what, "sink") == 0 ? alarm->about : NULL };
}

static void write_log(const struct standing *s)
{
	const struct log_about about = what_of(&s->alarm);
	const struct alarm_type *type = &alarm_types[s->alarm.id];
	char span[ALARM_SPAN_SIZE];
	if (type->in_log || type->repeats)
		return;
	if (s->just_raised)
		log_about(type->error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &about, "alarm %s: %s", type->name,
			  s->alarm.text);
	else if (s->just_ended)
		log_about(LOG_LEVEL_INFO, &about, "alarm %s is over, after %s: %s", type->name,
			  alarm_show_span(s->ended_ms - s->alarm.since_ms, span), s->alarm.text);
}

/* True: something has changed. */
static bool look(struct alarms *a)
{
	struct alarm_list found = { 0 };
	int64_t now = now_ms();
	bool changed = false;
	pthread_mutex_lock(&a->lock);
	int64_t grace_ms = a->generation->config->alarms.grace_ms;
	hear(a, now);
	alarms_look(a, now, &found);
	standings_update(&a->standings, &found, now, grace_ms,
			 a->looked_ns - a->started_ns >= grace_ms * SETTLED_TIMES * NS_PER_MS);
	for (size_t i = 0; i < a->standings.n; i++) {
		changed |= a->standings.v[i].just_raised || a->standings.v[i].just_ended;
		write_log(&a->standings.v[i]);
	}
	pthread_mutex_unlock(&a->lock);
	alarm_list_free(&found);
	return changed;
}

/* ---- Telling */

static bool append(struct alarms *a, const struct standing *s, enum standing_news news, int64_t told_ms, int64_t now)
{
	static struct log_limit limit;
	struct buf data = { 0 }, key = { 0 };
	struct journal_record record;
	struct journal_ticket ticket = { .n = 1 };
	struct err err;
	alarm_event(s, news, told_ms, now, &data, &key, &record);
	journal_encode(&ticket.records, &record);
	bool good = journal_append_wait(a->parts.journal, &ticket, &err) == 0;
	if (!good)
		log_limited(&limit, LOG_LEVEL_WARNING, "alarm %s cannot be told to sinks now, which is tried again: %s",
			    alarm_types[s->alarm.id].name, err.text);
	buf_free(&ticket.records);
	buf_free(&data);
	buf_free(&key);
	return good;
}

/* Of what repeats, each time it is told is a line. How many they are is on record before that, so that a process which
 * ends in the middle of it is followed by one that tells the same. True: there is something to save. */
static bool begin_to_tell(struct alarms *a, int64_t now)
{
	bool any = false;
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->standings.n; i++) {
		struct standing *s = &a->standings.v[i];
		const struct alarm_type *type = &alarm_types[s->alarm.id];
		const struct tally *t = alarms_tally(a, s->alarm.id, s->alarm.what, s->alarm.about);
		const struct log_about about = what_of(&s->alarm);
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
	if (routed && !append(a, &s, news, told_ms, now))
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

/* What is told is on record before, so that the next process tells it in the same words, if at all; and after. */
static void step(struct alarms *a)
{
	count_dead(a);
	bool changed = look(a), any = false;
	int64_t now = now_ms();
	changed |= begin_to_tell(a, now);
	if (changed || clock_steady_ns() - a->saved_ns >= SAVE_NS) {
		alarms_save(a);
		a->saved_ns = clock_steady_ns();
	}
	for (size_t i = 0; i < a->standings.n; i++)
		while (tell(a, i, now)) /* of what is over already, both */
			any = true;
	drop_done(a);
	if (changed || any)
		alarms_save(a);
}

/* ---- The thread */

static int64_t pause_ns(const struct alarms *a)
{
	int64_t ms = a->generation->config->alarms.grace_ms, silence_ms = sources_shortest_ms(&a->sources);
	ms = (ms < silence_ms ? ms : silence_ms) / LOOKS;
	return (ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : ms > LOOK_MS ? LOOK_MS : ms) * NS_PER_MS;
}

static void *watch(void *ctx)
{
	struct alarms *a = ctx;
	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		pthread_mutex_unlock(&a->lock);
		step(a);
		pthread_mutex_lock(&a->lock);
		const struct timespec until = clock_deadline(pause_ns(a));
		if (!a->stop)
			pthread_cond_timedwait(&a->bell, &a->lock, &until);
	}
	pthread_mutex_unlock(&a->lock);
	step(a);
	alarms_save(a);
	return NULL;
}

/* ---- Life */

static void take_sources(struct alarms *a, const struct live_set *set)
{
	struct generation *before = a->generation;
	a->generation = generation_ref(set->generation);
	sources_set(&a->sources, set, &a->gone);
	generation_unref(before);
}

struct alarms *alarms_start(const struct alarm_parts *parts, const struct live_set *set, struct err *err)
{
	struct alarms *a = xcalloc(1, sizeof *a);
	a->parts = *parts;
	a->started_ns = a->looked_ns = a->saved_ns = clock_steady_ns();
	pthread_mutex_init(&a->lock, NULL);
	clock_cond_init(&a->bell);
	take_sources(a, set);
	enricher_stats(parts->enricher, &a->enriched);
	if (alarms_remember(a, err) != 0) {
		alarms_stop(a);
		return NULL;
	}
	a->started = pthread_create(&a->thread, NULL, watch, a) == 0;
	if (!a->started) {
		err_set(err, "cannot start the thread that looks for alarms");
		alarms_stop(a);
		return NULL;
	}
	pthread_setname_np(a->thread, "alarm");
	return a;
}

void alarms_stop(struct alarms *a)
{
	if (!a)
		return;
	if (a->started) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->bell);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	standings_free(&a->standings);
	sources_free(&a->sources);
	for (size_t i = 0; i < a->n_tallies; i++)
		free(a->tallies[i].saved);
	names_drop(&a->gone, a->gone.n);
	free(a->tallies);
	free(a->died);
	free(a->refused);
	generation_unref(a->generation);
	pthread_cond_destroy(&a->bell);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void alarms_reloaded(struct alarms *a, const struct live_set *set, const char *refused)
{
	pthread_mutex_lock(&a->lock);
	free(a->refused);
	a->refused = NULL;
	if (refused) {
		a->refused =
			xasprintf("configuration: the last reload was refused, so the one before is at work: %s; mend "
				  "it, then `patchbay reload`",
				  refused);
		a->refused_ms = now_ms();
	} else {
		take_sources(a, set);
	}
	pthread_cond_signal(&a->bell);
	pthread_mutex_unlock(&a->lock);
}

int alarms_try(struct alarms *a, enum alarm_id id, struct id *ret, struct err *err)
{
	struct buf data = { 0 }, key = { 0 };
	struct journal_ticket ticket = { .n = 1 };
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
	journal_encode(&ticket.records, &record);
	int result = journal_append_wait(a->parts.journal, &ticket, err);
	*ret = record.id;
	buf_free(&ticket.records);
	buf_free(&data);
	buf_free(&key);
	return result;
}

/* ---- Who asks */

static bool list(const struct alarm_list *found, bool errors, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < found->n; i++) {
		if (alarm_types[found->v[i].id].error != errors)
			continue;
		buf_addf(out, "%s%s\n", errors ? "" : "warning: ", found->v[i].text);
		any = true;
	}
	return any;
}

bool alarms_health(struct alarms *a, struct buf *out)
{
	struct alarm_list found = { 0 };
	pthread_mutex_lock(&a->lock);
	alarms_look(a, now_ms(), &found);
	pthread_mutex_unlock(&a->lock);
	bool well = !list(&found, true, out);
	if (well)
		buf_addf(out, "ok\n");
	list(&found, false, out);
	alarm_list_free(&found);
	return well;
}

void alarms_metrics(struct alarms *a, struct buf *out)
{
	buf_addf(out, "# HELP patchbay_alarm 1 for each alarm that stands.\n# TYPE patchbay_alarm gauge\n");
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->standings.n; i++) {
		const struct standing *s = &a->standings.v[i];
		const struct alarm_type *type = &alarm_types[s->alarm.id];
		if (s->raised_ms && !s->ended_ms)
			buf_addf(out, "patchbay_alarm{type=\"%s\",what=\"%s\",about=\"%s\",severity=\"%s\"} 1\n",
				 type->name, s->alarm.what, s->alarm.about, type->error ? "error" : "warning");
	}
	pthread_mutex_unlock(&a->lock);
}
