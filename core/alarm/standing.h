/* standing.h - the alarms that stand, from one look to the next: which are new, which are over, and which of both
 * somebody has yet to be told of. No thread, no clock, nothing outside. */
#ifndef ALARM_STANDING_H
#define ALARM_STANDING_H

#include "alarm/alarm.h"

struct standing {
	struct alarm alarm;
	int64_t raised_ms;            /* wall clock; 0: it is too young for that */
	int64_t ended_ms;             /* 0: it stands */
	bool told;                    /* that it was raised; or: the first of what repeats */
	bool pending;                 /* of what repeats: just so many are being told, whatever comes meanwhile */
	bool done;                    /* that it is over is in the journal, too */
	bool carried;                 /* from an earlier process, and not found since */
	bool found;                   /* at the last look */
	bool just_raised, just_ended; /* at the last look */
	char *saved;                  /* as the journal's notes have it; NULL: not at all */
};

struct standings {
	struct standing *v;
	size_t n;
};

/* Compares with what was found now. `settled`: enough time has passed since the start, so that what is not found,
 * though it stood before, is over. */
void standings_update(struct standings *, const struct alarm_list *found, int64_t now_ms, int64_t grace_ms,
		      bool settled);

enum standing_news { STANDING_NOTHING, STANDING_RAISED, STANDING_MORE, STANDING_CLEARED };
/* What is to be told of it. told_ms: when it was told last how many there are, of a type that repeats. */
enum standing_news standing_news(const struct standing *, int64_t told_ms, int64_t now_ms, int64_t grace_ms);
/* It is over, and nobody needs to be told: it may be dropped. */
bool standing_is_done(const struct standing *);
void standings_drop(struct standings *, size_t i);
void standings_free(struct standings *);

/* As text, for the next process; its name first. False: that is none. */
void standing_write(const struct standing *, struct buf *name, struct buf *value);
bool standing_read(struct standings *, patchbay_str name, patchbay_str value); /* adds it, carried */

#endif
