/* sources.h - what is heard of each source: its rhythm, and posts in a row that were all refused, or not understood. */
#ifndef ALARM_SOURCES_H
#define ALARM_SOURCES_H

#include "alarm/alarm.h"
#include "alarm/rhythm.h"
#include "fetch/poller.h"
#include "source/live.h"

struct streak { /* with nothing better in between */
	uint64_t n;
	int64_t first_ms, last_ms; /* wall clock */
};

void streak_go_on(struct streak *, uint64_t n, int64_t now_ms);
bool streak_is_long(const struct streak *, int64_t now_ms, int64_t grace_ms);

struct heard {
	char name[CONFIG_NAME_SIZE];
	struct pulse *pulse;
	int64_t silence_ms;                           /* as config_source */
	uint64_t genuine, refused, malformed, polled; /* of its counts, what was taken in */
	struct rhythm rhythm;
	struct streak refusals, puzzles;
	char *saved; /* as the journal's notes have it; NULL: not at all */
};

struct sources {
	struct heard *v;
	size_t n;
};

/* From now on it is about those of this configuration; what is known of one that stays is kept.
 * The names of notes about others are added to `gone`. */
void sources_set(struct sources *, const struct live_set *, struct names *gone);
void sources_free(struct sources *);
/* ms have passed since the last time; what came meanwhile is taken in. polled: see poller_stats(). */
void sources_hear(struct sources *, const struct poller_stats *polled, size_t n_polled, int64_t ms, int64_t now_ms);
/* Adds what stands about them. */
void sources_look(const struct sources *, int64_t now_ms, int64_t grace_ms, struct alarm_list *);
/* The shortest silence that anybody wants to hear of; INT64_MAX: none. */
int64_t sources_shortest_ms(const struct sources *);

/* As text, for the next process; its name first. False: it is about none of these sources. */
void sources_write(const struct heard *, struct buf *name, struct buf *value);
bool sources_is_note(patchbay_str name);
bool sources_read(struct sources *, patchbay_str name, patchbay_str value);

#endif
