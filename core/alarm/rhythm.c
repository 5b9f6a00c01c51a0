/* rhythm.c - see rhythm.h. */
#include "alarm/rhythm.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_MS INT64_C(86400000)
#define ENOUGH_MS (8 * DAY_MS) /* a whole weekend is among it, and the morning after */
#define TIMES 2
#define LEAST_MS (INT64_C(15) * 60000)

void rhythm_pass(struct rhythm *r, int64_t ms)
{
	r->quiet_ms += ms;
	if (r->heard_ms)
		r->observed_ms += ms;
}

/* Days that are not among the last before it are overwritten, or passed over when it is read. A pause that was an alarm
 * counts as no more than the limit that it broke: an outage must not make deaf for the next one; and who really has
 * become slower is known as such after a few. */
void rhythm_hear(struct rhythm *r, int64_t now_ms)
{
	int64_t limit = rhythm_limit_ms(r), pause = r->quiet_ms, day = now_ms / DAY_MS;
	struct rhythm_day *slot = &r->days[day % RHYTHM_DAYS];
	if (limit && pause > limit)
		pause = limit;
	if (r->heard_ms && day - r->heard_ms / DAY_MS >= RHYTHM_DAYS && r->quiet_ms < ENOUGH_MS)
		r->observed_ms = 0; /* it was not watched for so long that nothing of what is known counts any more */
	if (r->heard_ms && (slot->day != day || pause > slot->pause_ms))
		*slot = (struct rhythm_day){ day, pause };
	r->heard_ms = now_ms;
	r->quiet_ms = 0;
}

int64_t rhythm_longest_ms(const struct rhythm *r)
{
	int64_t longest = 0, last = r->heard_ms / DAY_MS;
	for (size_t i = 0; i < RHYTHM_DAYS; i++)
		if (r->days[i].day <= last && last - r->days[i].day < RHYTHM_DAYS && r->days[i].pause_ms > longest)
			longest = r->days[i].pause_ms;
	return r->observed_ms >= ENOUGH_MS ? longest : 0;
}

int64_t rhythm_limit_ms(const struct rhythm *r)
{
	int64_t longest = rhythm_longest_ms(r);
	if (longest == 0)
		return 0;
	return longest * TIMES > LEAST_MS ? longest * TIMES : LEAST_MS;
}

void rhythm_write(const struct rhythm *r, struct buf *out)
{
	buf_addf(out, "%" PRId64 " %" PRId64 " %" PRId64, r->quiet_ms, r->observed_ms, r->heard_ms);
	for (size_t i = 0; i < RHYTHM_DAYS; i++)
		if (r->days[i].pause_ms)
			buf_addf(out, " %" PRId64 ":%" PRId64, r->days[i].day, r->days[i].pause_ms);
}

bool rhythm_read(struct rhythm *ret, patchbay_str text)
{
	struct buf copy = { 0 };
	struct rhythm r = { 0 };
	struct rhythm_day day;
	int n = 0, at = 0;
	buf_add_str(&copy, text);
	const char *p = buf_cstr(&copy);
	bool good = sscanf(p, "%" SCNd64 " %" SCNd64 " %" SCNd64 "%n", &r.quiet_ms, &r.observed_ms, &r.heard_ms, &at) ==
			    3 &&
		    r.quiet_ms >= 0 && r.observed_ms >= 0 && r.heard_ms >= 0;
	while (good && sscanf(p + at, " %" SCNd64 ":%" SCNd64 "%n", &day.day, &day.pause_ms, &n) == 2) {
		at += n;
		if (day.day >= 0)
			r.days[day.day % RHYTHM_DAYS] = day;
	}
	buf_free(&copy);
	if (good)
		*ret = r;
	return good;
}
