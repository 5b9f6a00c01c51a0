/* sources.c - see sources.h. */
#include "alarm/sources.h"

#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "source "
#define STREAK_LEAST 3u
#define STREAK_OLD_MS (INT64_C(24) * 3600000)

static struct heard *find(const struct sources *s, patchbay_str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_is(name, s->v[i].name))
			return &s->v[i];
	return NULL;
}

static void heard_free(struct heard *h)
{
	pulse_unref(h->pulse);
	free(h->saved);
}

static struct heard begin(struct sources *s, const struct live *live)
{
	struct heard *had = find(s, str_c(live->source->name)), heard = { 0 };
	struct pulse *pulse = pulse_ref(live->pulse);
	if (had) {
		heard = *had;
		pulse_unref(heard.pulse);
		had->pulse = NULL;
		had->saved = NULL;
		had->name[0] = '\0'; /* it is not gone */
	}
	if (heard.pulse != pulse) /* another one of this name */
		heard.genuine = heard.refused = heard.malformed = 0;
	snprintf(heard.name, sizeof heard.name, "%s", live->source->name);
	heard.pulse = pulse;
	return heard;
}

void sources_set(struct sources *s, const struct live_set *set, struct names *gone)
{
	struct heard *v = xcalloc(set->n + 1, sizeof *v);
	for (size_t i = 0; i < set->n; i++) {
		const struct config_source *now = config_find_source(set->generation->config, set->v[i]->source->name);
		v[i] = begin(s, set->v[i]);
		v[i].silence_ms = now ? now->silence_ms : CONFIG_SILENCE_OFF;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].name[0])
			names_add(gone, xasprintf(NAME "%s", s->v[i].name));
		heard_free(&s->v[i]);
	}
	free(s->v);
	s->v = v;
	s->n = set->n;
}

void sources_free(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		heard_free(&s->v[i]);
	free(s->v);
	*s = (struct sources){ 0 };
}

/* ---- Listening */

/* How many more it is than before. */
static uint64_t more(uint64_t *before, uint64_t now)
{
	uint64_t n = now > *before ? now - *before : 0;
	*before = now;
	return n;
}

void streak_go_on(struct streak *streak, uint64_t n, int64_t now_ms)
{
	if (n == 0)
		return;
	if (streak->n == 0)
		streak->first_ms = now_ms;
	streak->n += n;
	streak->last_ms = now_ms;
}

static uint64_t polled_of(const struct heard *h, const struct poller_stats *polled, size_t n_polled)
{
	for (size_t i = 0; i < n_polled; i++)
		if (strcmp(polled[i].source, h->name) == 0)
			return polled[i].events;
	return 0;
}

static void hear(struct heard *h, uint64_t polled, int64_t ms, int64_t now_ms)
{
	uint64_t genuine = more(&h->genuine, atomic_load(&h->pulse->genuine));
	uint64_t refused = more(&h->refused, atomic_load(&h->pulse->refused));
	uint64_t malformed = more(&h->malformed, atomic_load(&h->pulse->malformed));
	uint64_t fetched = more(&h->polled, polled);
	rhythm_pass(&h->rhythm, ms);
	if (genuine + malformed + fetched)
		rhythm_hear(&h->rhythm, now_ms);
	streak_go_on(&h->refusals, refused, now_ms);
	streak_go_on(&h->puzzles, malformed, now_ms);
	if (genuine + malformed)
		h->refusals = (struct streak){ 0 };
	if (genuine)
		h->puzzles = (struct streak){ 0 };
}

void sources_hear(struct sources *s, const struct poller_stats *polled, size_t n_polled, int64_t ms, int64_t now_ms)
{
	for (size_t i = 0; i < s->n; i++)
		hear(&s->v[i], polled_of(&s->v[i], polled, n_polled), ms, now_ms);
}

/* ---- What stands */

static void look_at_silence(const struct heard *h, int64_t now_ms, struct alarm_list *list)
{
	const struct rhythm *r = &h->rhythm;
	bool by_rhythm = h->silence_ms == CONFIG_SILENCE_AUTO;
	int64_t limit = by_rhythm ? rhythm_limit_ms(r) : h->silence_ms;
	char quiet[CLOCK_SPAN_SIZE], longest[CLOCK_SPAN_SIZE], why[128] = "";
	if (limit <= 0 || r->quiet_ms < limit)
		return;
	if (by_rhythm)
		snprintf(why, sizeof why, " (at most %s in the two weeks before)",
			 alarm_show_span(rhythm_longest_ms(r), longest));
	struct alarm *alarm = alarm_add(list, ALARM_SOURCE_SILENT, "source", h->name,
					"source %s: nothing genuine has come for %s%s; see whether its provider still "
					"sends, and to this address",
					h->name, alarm_show_span(r->quiet_ms, quiet), why);
	alarm->since_ms = r->heard_ms ? r->heard_ms : now_ms - r->quiet_ms;
}

bool streak_is_long(const struct streak *streak, int64_t now_ms, int64_t grace_ms)
{
	return streak->n >= STREAK_LEAST && streak->last_ms - streak->first_ms >= grace_ms &&
	       now_ms - streak->last_ms < STREAK_OLD_MS;
}

void sources_look(const struct sources *s, int64_t now_ms, int64_t grace_ms, struct alarm_list *list)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct heard *h = &s->v[i];
		look_at_silence(h, now_ms, list);
		if (streak_is_long(&h->refusals, now_ms, grace_ms))
			alarm_add(list, ALARM_SOURCE_REFUSING, "source", h->name,
				  "source %s: the last %" PRIu64 " posts were all refused, which `patchbay events "
				  "--quarantine` lists; if the secret was "
				  "changed at the provider, put the new one in its place, then `patchbay reload` and "
				  "`patchbay reverify %s`",
				  h->name, h->refusals.n, h->name)
				->since_ms = h->refusals.first_ms;
		if (streak_is_long(&h->puzzles, now_ms, grace_ms))
			alarm_add(list, ALARM_SOURCE_MALFORMED, "source", h->name,
				  "source %s: the last %" PRIu64 " genuine posts were not understood; `patchbay events "
				  "--quarantine` says why, and with a "
				  "mended plugin `patchbay reverify %s` lets them in",
				  h->name, h->puzzles.n, h->name)
				->since_ms = h->puzzles.first_ms;
	}
}

int64_t sources_shortest_ms(const struct sources *s)
{
	int64_t shortest = INT64_MAX;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].silence_ms > 0 && s->v[i].silence_ms < shortest)
			shortest = s->v[i].silence_ms;
	return shortest;
}

/* ---- Memory */

static void write_streak(const struct streak *streak, struct buf *out)
{
	buf_addf(out, "%" PRIu64 " %" PRId64 " %" PRId64 " ", streak->n, streak->first_ms, streak->last_ms);
}

void sources_write(const struct heard *h, struct buf *name, struct buf *value)
{
	buf_addf(name, NAME "%s", h->name);
	write_streak(&h->refusals, value);
	write_streak(&h->puzzles, value);
	rhythm_write(&h->rhythm, value);
}

bool sources_is_note(patchbay_str name)
{
	return str_starts(name, STR(NAME));
}

bool sources_read(struct sources *s, patchbay_str name, patchbay_str value)
{
	struct streak refusals, puzzles;
	struct buf copy = { 0 };
	int at = 0;
	if (!sources_is_note(name))
		return false;
	struct heard *h = find(s, (patchbay_str){ name.p + sizeof NAME - 1, name.n - (sizeof NAME - 1) });
	if (!h)
		return false;
	buf_add_str(&copy, value);
	const char *p = buf_cstr(&copy);
	bool good = sscanf(p, "%" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %n", &refusals.n,
			   &refusals.first_ms, &refusals.last_ms, &puzzles.n, &puzzles.first_ms, &puzzles.last_ms,
			   &at) == 6 &&
		    rhythm_read(&h->rhythm, str_c(p + at));
	if (good) {
		h->refusals = refusals;
		h->puzzles = puzzles;
		free(h->saved);
		h->saved = xstrndup(value.p, value.n);
	}
	buf_free(&copy);
	return good;
}
