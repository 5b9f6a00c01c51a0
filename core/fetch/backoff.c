/* backoff.c - see backoff.h. */
#include "fetch/backoff.h"

#include <sys/random.h>

int64_t backoff_ms(uint32_t failures, int64_t first_ms, int64_t longest_ms)
{
	int64_t delay = first_ms;
	for (uint32_t i = 1; i < failures && delay < longest_ms; i++)
		delay *= 2;
	if (delay > longest_ms)
		delay = longest_ms;
	uint32_t chance = 0;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = UINT32_MAX;
	return delay / 2 + (int64_t)((double)(delay - delay / 2) * chance / UINT32_MAX);
}
