/* retry.h - when a failed delivery is tried again, and when it is given up. Pure functions of the policy
 * in routes.yaml: no clock, no state but the random numbers' that the caller passes in. */
#ifndef DELIVER_RETRY_H
#define DELIVER_RETRY_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_random {
	uint64_t state; /* any seed but 0 */
};

/* How long an event waits after its attempt number `attempt` (from 1) has failed. A list of delays is taken as it
 * is, its last one for every later attempt; an exponential delay is drawn between nothing and the whole of
 * initial * factor^(attempt-1), at most max, so that events that failed together do not come back together. At
 * least 1. */
int64_t retry_delay_ms(const struct config_retry *, uint32_t attempt, struct retry_random *);

/* How long a destination is left in peace after its failure number `failure` in a row: the same, but drawn between
 * one half and the whole, so that it is never hammered. */
int64_t retry_probe_ms(const struct config_retry *, uint32_t failure, struct retry_random *);

/* How long a delivery may fail before it is given up: give_up, or all delays of a list. 0 = for ever. */
int64_t retry_give_up_ms(const struct config_retry *);

/* Attempt number `attempt` has failed, the first one was `age_ms` ago: is that the end of it? Yes when the
 * list of delays is used up, or, without a list, when give_up has passed (0 = never). */
bool retry_gives_up(const struct config_retry *, uint32_t attempt, int64_t age_ms);

#endif
