/* backoff.h - how long to wait before something that failed is tried again. */
#ifndef FETCH_BACKOFF_H
#define FETCH_BACKOFF_H

#include <stdint.h>

/* After that many failures in a row: doubles from first_ms, up to longest_ms; between the half and the whole of that,
 * by chance. */
int64_t backoff_ms(uint32_t failures, int64_t first_ms, int64_t longest_ms);

#endif
