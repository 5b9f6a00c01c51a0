/* retry.c - see retry.h. */
#include "deliver/retry.h"

#include <math.h>

#define DELAY_LIMIT_MS (INT64_C(366) * 24 * 3600 * 1000) /* keeps doubles, and sums with a wall clock, exact */

static uint64_t random_next(struct retry_random *random) /* xorshift64* */
{
	uint64_t x = random->state ? random->state : 1;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return x * UINT64_C(0x2545F4914F6CDD1D);
}

static int64_t bounded(int64_t ms)
{
	return ms < 1 ? 1 : ms > DELAY_LIMIT_MS ? DELAY_LIMIT_MS : ms;
}

/* What the policy says, before chance: for an exponential one, the upper end. */
static int64_t nominal_ms(const struct config_retry *retry, uint32_t attempt)
{
	uint32_t failed = attempt ? attempt - 1 : 0;
	if (retry->n_delays)
		return bounded(retry->delays_ms[failed < retry->n_delays ? failed : retry->n_delays - 1]);
	double factor = retry->factor > 1.0 ? retry->factor : 1.0;
	double grown = (double)bounded(retry->initial_ms) * pow(factor, failed); /* may be infinite */
	int64_t longest = bounded(retry->max_ms > 0 ? retry->max_ms : DELAY_LIMIT_MS);
	return grown < (double)longest ? (int64_t)grown : longest;
}

static int64_t drawn(const struct config_retry *retry, int64_t least, int64_t most, struct retry_random *random)
{
	if (retry->n_delays)
		return most;
	return bounded(least + (int64_t)(random_next(random) % (uint64_t)(most - least + 1)));
}

int64_t retry_delay_ms(const struct config_retry *retry, uint32_t attempt, struct retry_random *random)
{
	return drawn(retry, 0, nominal_ms(retry, attempt), random);
}

int64_t retry_probe_ms(const struct config_retry *retry, uint32_t failure, struct retry_random *random)
{
	int64_t nominal = nominal_ms(retry, failure);
	return drawn(retry, nominal / 2, nominal, random);
}

int64_t retry_give_up_ms(const struct config_retry *retry)
{
	int64_t sum = 0;
	if (!retry->n_delays)
		return retry->give_up_ms;
	for (size_t i = 0; i < retry->n_delays; i++)
		sum = bounded(sum + bounded(retry->delays_ms[i]));
	return sum;
}

bool retry_gives_up(const struct config_retry *retry, uint32_t attempt, int64_t age_ms)
{
	if (retry->n_delays)
		return attempt > retry->n_delays;
	return retry->give_up_ms > 0 && age_ms >= retry->give_up_ms;
}
