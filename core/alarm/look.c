/* look.c - what stands right now, in all parts of the daemon: the one list for everybody. */
#include "alarm/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "guard/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_PERCENT 80
#define DISK_LEAST (UINT64_C(1) << 30) /* so much, or a tenth of it, must be free */
#define TALLY_TIMES 10                 /* times `grace`: for so long it is news that something happened again */
#define CRASHED_MAX 256
#define EXPIRING_MS (INT64_C(14) * 86400000) /* who renews by a program does so earlier */

/* ---- What happens again and again */

struct tally *alarms_tally(const struct alarms *a, enum alarm_id id, const char *what, const char *about)
{
	for (size_t i = 0; i < a->n_tallies; i++) {
		struct tally *t = &a->tallies[i];
		if (t->id == id && strcmp(t->what, what) == 0 && strcmp(t->about, about) == 0)
			return t;
	}
	return NULL;
}

struct tally *alarms_tally_add(struct alarms *a, enum alarm_id id, const char *what, const char *about)
{
	struct tally *t = alarms_tally(a, id, what, about);
	if (t)
		return t;
	a->tallies = xrealloc(a->tallies, (a->n_tallies + 1) * sizeof *a->tallies);
	t = &a->tallies[a->n_tallies++];
	*t = (struct tally){ .id = id, .what = what };
	snprintf(t->about, sizeof t->about, "%s", about);
	return t;
}

/* True: it stands, with *ret_count that nobody was told of yet. */
static bool is_news(const struct alarms *a, enum alarm_id id, const char *what, const char *about, uint64_t total,
		    int64_t now_ms, uint64_t *ret_count)
{
	const struct tally *t = alarms_tally(a, id, what, about);
	int64_t lasts_ms = a->generation->config->alarms.grace_ms * TALLY_TIMES;
	*ret_count = !t ? total : total > t->told ? total - t->told : 0;
	return *ret_count || (t && t->told_ms <= now_ms && now_ms - t->told_ms < lasts_ms);
}

static void look_at_dead(const struct alarms *a, const char *sink, int64_t now_ms, struct alarm_list *list)
{
	uint64_t count, total = 0;
	for (size_t i = 0; i < a->n_died; i++)
		if (strcmp(a->died[i].sink, sink) == 0)
			total = a->died[i].n;
	if (!is_news(a, ALARM_DELIVERIES_DEAD, "sink", sink, total, now_ms, &count))
		return;
	char how_many[32] = "lately there were";
	if (count)
		snprintf(how_many, sizeof how_many, "%" PRIu64, count);
	struct alarm *alarm = alarm_add(list, ALARM_DELIVERIES_DEAD, "sink", sink,
					"sink %s: %s new dead letter%s; `patchbay dead --sink %s` says why, and "
					"`patchbay replay` sends them again",
					sink, how_many, count == 1 ? "" : "s", sink);
	alarm->count = count;
	alarm->total = total;
}

/* ---- The parts */

static void look_at_journal(const struct alarms *a, struct alarm_list *list)
{
	char size[STR_BYTES_SIZE];
	struct journal_stats j;
	struct err why;
	if (journal_trouble(a->parts.journal, &why))
		alarm_add(list, ALARM_JOURNAL_REFUSING, NULL, NULL,
			  "journal: %s; posts are answered 503 until this is over", why.text);
	journal_stats(a->parts.journal, &j);
	if (j.limit_bytes && j.owed_bytes >= j.limit_bytes / 100 * FULL_PERCENT)
		alarm_add(list, ALARM_JOURNAL_NEARLY_FULL, NULL, NULL,
			  "journal: %d %% of what it may hold (retention: size) is still owed to sinks; from 100 %% on "
			  "posts are answered 503; mend the sinks that are behind, or raise the limit",
			  (int)(j.owed_bytes / (j.limit_bytes / 100)));
	else if (j.disk_bytes && j.disk_free < DISK_LEAST && j.disk_free < j.disk_bytes / 10)
		alarm_add(list, ALARM_JOURNAL_NEARLY_FULL, NULL, NULL,
			  "journal: its file system has %s left, and when it is full posts are answered 503; make "
			  "room, or lower retention: size",
			  str_show_bytes(j.disk_free, size));
}

static void look_at_certificates(const struct alarms *a, int64_t now_ms, struct alarm_list *list)
{
	for (size_t i = 0; intake_address(a->parts.intake, i); i++) {
		struct intake_certificate c;
		char span[CLOCK_SPAN_SIZE];
		if (!intake_certificate(a->parts.intake, i, &c) || c.not_after_ms - now_ms > EXPIRING_MS)
			continue;
		bool expired = c.not_after_ms <= now_ms;
		alarm_add(list, expired ? ALARM_CERTIFICATE_EXPIRED : ALARM_CERTIFICATE_EXPIRING, "listener", c.address,
			  "listener %s: the certificate of %s %s%s; put a new one in its place, then `patchbay reload`",
			  c.address, c.names[0] ? c.names : "nobody",
			  expired ? "has expired, and providers refuse it" : "expires in ",
			  expired ? "" : alarm_show_span(c.not_after_ms - now_ms, span));
	}
}

static void look_at_sinks(const struct alarms *a, int64_t now_ms, struct alarm_list *list)
{
	size_t n;
	struct dispatcher_stats *sinks = dispatcher_stats(a->parts.dispatcher, &n);
	for (size_t i = 0; i < n; i++) {
		const struct dispatcher_stats *s = &sinks[i];
		look_at_dead(a, s->sink, now_ms, list);
		if (!s->trouble_since_ms)
			continue;
		alarm_add(list, s->broken ? ALARM_SINK_BROKEN : ALARM_SINK_STOPPED, "sink", s->sink, "sink %s: %s; %s",
			  s->sink, s->reason,
			  s->broken ? "its events wait until somebody mends this"
				    : "its events wait, and are tried again")
			->since_ms = s->trouble_since_ms;
	}
	free(sinks);
}

static void look_at_fetching(const struct alarms *a, int64_t now_ms, struct alarm_list *list)
{
	size_t n;
	struct poller_stats *polled = poller_stats(a->parts.poller, &n);
	for (size_t i = 0; i < n; i++)
		if (polled[i].trouble_since_ms)
			alarm_add(list, ALARM_POLLING_FAILING, "source", polled[i].source,
				  "source %s, polling: %s; it is tried again", polled[i].source, polled[i].reason)
				->since_ms = polled[i].trouble_since_ms;
	free(polled);
	if (streak_is_long(&a->details, now_ms, a->generation->config->alarms.grace_ms))
		alarm_add(list, ALARM_DETAILS_FAILING, NULL, NULL,
			  "details of events: none of the last %" PRIu64
			  " could be fetched; `patchbay show` of such an event says why",
			  a->details.n)
			->since_ms = a->details.first_ms;
}

/* A source has several instances, one of them for polling, say. False: an earlier one of the list has counted it. */
static bool count_crashes(const struct guard_instance_stats *v, size_t n, size_t i, uint64_t *ret)
{
	*ret = 0;
	for (size_t k = 0; k < n; k++) {
		if (strcmp(v[k].instance, v[i].instance) != 0 ||
		    strcmp(guard_side_name(v[k].side), guard_side_name(v[i].side)) != 0)
			continue;
		if (k < i)
			return false;
		*ret += v[k].crashes - v[k].own;
	}
	return true;
}

/* Instances whose plugins crashed, and those that are left alone for that. */
static void look_at_plugins(const struct alarms *a, int64_t now_ms, struct alarm_list *list)
{
	struct guard_instance_stats v[CRASHED_MAX];
	size_t n = guard_instances(v, CRASHED_MAX);
	n = n < CRASHED_MAX ? n : CRASHED_MAX;
	for (size_t i = 0; i < n; i++) {
		const char *what = guard_side_name(v[i].side);
		char how_often[40] = " lately";
		uint64_t count, total;
		if (v[i].parked)
			alarm_add(list, ALARM_PLUGIN_LEFT_ALONE, what, v[i].instance, "%s %s: %s", what, v[i].instance,
				  v[i].why);
		if (!count_crashes(v, n, i, &total) ||
		    !is_news(a, ALARM_PLUGIN_CRASHED, what, v[i].instance, total, now_ms, &count))
			continue;
		if (count)
			snprintf(how_often, sizeof how_often, ", %" PRIu64 " time%s", count, count == 1 ? "" : "s");
		struct alarm *alarm = alarm_add(list, ALARM_PLUGIN_CRASHED, what, v[i].instance,
						"%s %s: its plugin %s crashed, or had to be ended%s; all else goes on, "
						"and the log says where it was",
						what, v[i].instance, v[i].plugin, how_often);
		alarm->count = count;
		alarm->total = total;
	}
}

void alarms_look(const struct alarms *a, int64_t now_ms, struct alarm_list *list)
{
	look_at_journal(a, list);
	look_at_certificates(a, now_ms, list);
	look_at_sinks(a, now_ms, list);
	look_at_fetching(a, now_ms, list);
	look_at_plugins(a, now_ms, list);
	sources_look(&a->sources, now_ms, a->generation->config->alarms.grace_ms, list);
	if (a->refused)
		alarm_add(list, ALARM_CONFIGURATION_REFUSED, NULL, NULL, "%s", a->refused)->since_ms = a->refused_ms;
}
