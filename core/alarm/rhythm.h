/* rhythm.h - how often something comes to a source, and so from when on it is unusual that nothing does. Time counts
 * only while Patchbay runs: what it did not see says nothing. */
#ifndef ALARM_RHYTHM_H
#define ALARM_RHYTHM_H

#include "base/str.h"

#define RHYTHM_DAYS 14 /* before the last sign of life: whose longest pauses count */

struct rhythm {
	int64_t quiet_ms;    /* since the last sign of life, or since it is watched */
	int64_t observed_ms; /* since the first one */
	int64_t heard_ms;    /* wall clock: the last one; 0: none yet */
	struct rhythm_day {
		int64_t day; /* since 1970, UTC: when the pause ended */
		int64_t pause_ms;
	} days[RHYTHM_DAYS]; /* by day % RHYTHM_DAYS; pause_ms 0: nothing is known */
};

void rhythm_pass(struct rhythm *, int64_t ms);
void rhythm_hear(struct rhythm *, int64_t now_ms);
/* The longest usual pause; 0: not known, since it is watched for hardly a week, say. */
int64_t rhythm_longest_ms(const struct rhythm *);
/* Longer than that it has never been quiet for, by far; 0: not known. */
int64_t rhythm_limit_ms(const struct rhythm *);

/* As text, for the next process. False: that is none. */
void rhythm_write(const struct rhythm *, struct buf *);
bool rhythm_read(struct rhythm *, patchbay_str);

#endif
