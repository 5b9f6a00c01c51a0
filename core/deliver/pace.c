/* pace.c - see pace.h. */
#include "deliver/pace.h"

#include "base/clock.h"

#define SLOW_NS (100 * NS_PER_MS)      /* intervals from here on are kept between the end of a call and the next */
#define CATCH_UP_NS (20 * NS_PER_MS)   /* late wake-ups of so much are made good */
#define MARGIN_MAX_NS (20 * NS_PER_MS) /* so much later than another a call may arrive that began with it */

/* However unevenly calls arrive, no window has more of them than agreed. */
static void keep_window(struct pace *pace)
{
	int64_t earliest = pace->seen_ns[pace->at] + pace->window_ns;
	if (pace->next_ns < earliest)
		pace->next_ns = earliest;
}

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
	pace->alone = concurrency == 1;
	pace->next_ns = now_ns + pace->interval_ns;
	pace->slots = count < PACE_SLOTS ? (uint32_t)count : PACE_SLOTS;
	pace->window_ns = pace->interval_ns * pace->slots;
	for (uint32_t i = 0; i < pace->slots; i++)
		pace->seen_ns[i] = now_ns - pace->window_ns;
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
	int64_t margin = pace->alone ? 0 : pace->window_ns / 50; /* alone, its end will tell */
	pace->seen_ns[pace->at] = now_ns + (margin < MARGIN_MAX_NS ? margin : MARGIN_MAX_NS);
	pace->at = (pace->at + 1) % pace->slots;
	keep_window(pace);
}

void pace_ended(struct pace *pace, int64_t now_ns)
{
	if (!pace->interval_ns)
		return;
	if (pace->from_end)
		pace->next_ns = now_ns + pace->interval_ns;
	if (pace->alone)
		pace->seen_ns[(pace->at + pace->slots - 1) % pace->slots] = now_ns;
	keep_window(pace);
}
