/* pace.c - see pace.h. */
#include "deliver/pace.h"

#include "base/clock.h"

#define SLOW_NS (100 * NS_PER_MS)    /* intervals from here on are kept between the end of a call and the next */
#define CATCH_UP_NS (20 * NS_PER_MS) /* late wake-ups of so much are made good */

void pace_init(struct pace *pace, int64_t count, int64_t time_ms, int64_t concurrency, int64_t now_ns)
{
	*pace = (struct pace){ 0 };
	if (count <= 0 || time_ms <= 0)
		return;
	pace->interval_ns = time_ms * NS_PER_MS / count;
	/* When a request arrives within its call nobody knows. Where calls are rare, the far side must not
	 * see two closer together than agreed, whatever the network does; where they are frequent it
	 * would cost too much of the rate. */
	pace->from_end = concurrency == 1 && pace->interval_ns >= SLOW_NS;
	pace->next_ns = now_ns + pace->interval_ns;
}

bool pace_allows(const struct pace *pace, int64_t now_ns)
{
	return now_ns >= pace->next_ns;
}

void pace_began(struct pace *pace, int64_t now_ns)
{
	if (!pace->interval_ns)
		return;
	bool on_time = !pace->from_end && now_ns - pace->next_ns < CATCH_UP_NS;
	pace->next_ns = (on_time ? pace->next_ns : now_ns) + pace->interval_ns;
}

void pace_ended(struct pace *pace, int64_t now_ns)
{
	if (pace->from_end)
		pace->next_ns = now_ns + pace->interval_ns;
}
