/* memory.c - what the next process has to know: which alarms stand and who was told, how much of what repeats was told,
 * how sources sound. Each is a note in the journal, written when it has changed. */
#include "alarm/internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "guard/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALLY "tally "

static void tally_write(const struct tally *t, struct buf *name, struct buf *value)
{
	buf_addf(name, TALLY "%s %s %s", alarm_types[t->id].name, t->what, t->about);
	buf_addf(value, "%" PRIu64 " %" PRId64, t->told, t->told_ms);
}

static bool tally_read(struct alarms *a, patchbay_str name, patchbay_str value)
{
	char type[64], what[16], about[CONFIG_NAME_SIZE];
	struct buf copy = { 0 };
	uint64_t told;
	int64_t told_ms;
	buf_addf(&copy, "%.*s", STR_ARG(name));
	bool good = sscanf(buf_cstr(&copy), TALLY "%63s %15s %63[^\n]", type, what, about) == 3 &&
		    alarm_find(str_c(type)) < ALARM_TYPES;
	copy.n = 0;
	buf_add_str(&copy, value);
	if (good && sscanf(buf_cstr(&copy), "%" SCNu64 " %" SCNd64, &told, &told_ms) == 2) {
		struct tally *t = alarms_tally_add(a, alarm_find(str_c(type)), alarm_what(str_c(what)), about);
		t->told = told;
		t->told_ms = told_ms;
		t->saved = xstrndup(value.p, value.n);
		if (t->id == ALARM_PLUGIN_CRASHED && guard_restarts() == 0)
			t->told = 0; /* a new supervisor counts anew */
	}
	buf_free(&copy);
	return good;
}

static void remember(void *ctx, const struct journal_note *note)
{
	struct alarms *a = ctx;
	patchbay_str name = str_c(note->name);
	if (standing_read(&a->standings, name, note->value) || tally_read(a, name, note->value) ||
	    sources_read(&a->sources, name, note->value))
		return;
	if (sources_is_note(name)) /* about one that is gone */
		names_add(&a->gone, xstrdup(note->name));
}

/* The configuration that the last worker could not take up is not at work in this one either. */
static void remember_refusal(struct alarms *a)
{
	for (size_t i = 0; i < a->standings.n; i++) {
		const struct standing *s = &a->standings.v[i];
		if (s->alarm.id != ALARM_CONFIGURATION_REFUSED || s->ended_ms || guard_restarts() == 0)
			continue;
		a->refused = xstrdup(s->alarm.text);
		a->refused_ms = s->alarm.since_ms;
	}
}

int alarms_remember(struct alarms *a, struct err *err)
{
	int result = journal_notes(a->parts.journal, remember, a, err);
	remember_refusal(a);
	return result;
}

/* ---- Saving */

struct notes {
	struct journal_note *v;
	size_t n, gone; /* the first so many are to be forgotten */
};

static void add_note(struct notes *notes, const char *name, const char *value)
{
	notes->v = xrealloc(notes->v, (notes->n + 1) * sizeof *notes->v);
	notes->v[notes->n++] = (struct journal_note){ xstrdup(name), str_c(xstrdup(value)) };
}

/* What is as it was is not written again. */
static void add(struct notes *notes, struct buf *name, struct buf *value, char **saved)
{
	if (!*saved || !str_is(buf_str(value), *saved)) {
		add_note(notes, buf_cstr(name), buf_cstr(value));
		free(*saved);
		*saved = xstrdup(buf_cstr(value));
	}
	name->n = value->n = 0;
}

static void gather(struct alarms *a, struct notes *notes)
{
	struct buf name = { 0 }, value = { 0 };
	for (size_t i = 0; i < a->gone.n; i++)
		add_note(notes, a->gone.v[i], "");
	notes->gone = notes->n;
	for (size_t i = 0; i < a->standings.n; i++) {
		if (!a->standings.v[i].raised_ms)
			continue;
		standing_write(&a->standings.v[i], &name, &value);
		add(notes, &name, &value, &a->standings.v[i].saved);
	}
	for (size_t i = 0; i < a->n_tallies; i++) {
		tally_write(&a->tallies[i], &name, &value);
		add(notes, &name, &value, &a->tallies[i].saved);
	}
	for (size_t i = 0; i < a->sources.n; i++) {
		sources_write(&a->sources.v[i], &name, &value);
		add(notes, &name, &value, &a->sources.v[i].saved);
	}
	buf_free(&name);
	buf_free(&value);
}

static void forget(char **saved)
{
	free(*saved);
	*saved = NULL;
}

/* Nothing is known to be saved: all of it is written the next time. */
static void unsave(struct alarms *a)
{
	for (size_t i = 0; i < a->standings.n; i++)
		forget(&a->standings.v[i].saved);
	for (size_t i = 0; i < a->n_tallies; i++)
		forget(&a->tallies[i].saved);
	for (size_t i = 0; i < a->sources.n; i++)
		forget(&a->sources.v[i].saved);
}

/* Not while the disk works: who asks for /health must not wait for that. */
void alarms_save(struct alarms *a)
{
	static struct log_limit limit;
	struct notes notes = { 0 };
	struct err err;
	pthread_mutex_lock(&a->lock);
	gather(a, &notes);
	pthread_mutex_unlock(&a->lock);
	bool good = notes.n == 0 || journal_notes_put(a->parts.journal, notes.v, notes.n, &err) == 0;
	if (!good)
		log_limited(&limit, LOG_LEVEL_WARNING, "alarms: %s; after a restart somebody may be told twice",
			    err.text);
	pthread_mutex_lock(&a->lock);
	if (good)
		names_drop(&a->gone, notes.gone);
	else
		unsave(a);
	pthread_mutex_unlock(&a->lock);
	for (size_t i = 0; i < notes.n; i++) {
		free((void *)(uintptr_t)notes.v[i].name);
		free((void *)(uintptr_t)notes.v[i].value.p);
	}
	free(notes.v);
}
