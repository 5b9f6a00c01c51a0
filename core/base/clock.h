/* clock.h - the two clocks. Wall time can jump; durations and deadlines use the steady one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <patchbay/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

int64_t clock_wall_ns(void);   /* since 1970 */
int64_t clock_steady_ns(void); /* since some moment; never goes back */

/* A condition whose timed waits go by the steady clock, */
void clock_cond_init(pthread_cond_t *);
/* and when such a wait is over that lasts so long from now. */
struct timespec clock_deadline(int64_t ns);

/* ISO 8601 as <patchbay/services.h> describes it for PATCHBAY_TIME. */
bool clock_parse_iso(patchbay_str text, int64_t *ret_ns);
#define CLOCK_ISO_SIZE 40
/* "2026-11-22T04:13:54.123Z" with 0, 3, 6 or 9 fraction digits, NUL-terminated. Returns its length. */
size_t clock_format_iso(int64_t ns, char out[CLOCK_ISO_SIZE]);
#define CLOCK_SPAN_SIZE 64
/* "3 h 20 min", for people: so many units from the largest on, without those that are 0. Returns out. */
const char *clock_format_span(int64_t ms, unsigned units, char out[CLOCK_SPAN_SIZE]);
#define CLOCK_SPAN_EXACT 5u

#endif
