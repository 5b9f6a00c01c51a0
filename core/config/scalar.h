/* scalar.h - the single values of routes.yaml: numbers, durations, sizes, networks, both ways. */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include "base/str.h"

bool scalar_int(patchbay_str, int64_t *ret);
bool scalar_real(patchbay_str, double *ret);   /* finite */
bool scalar_ms(patchbay_str, int64_t *ret);    /* 500ms, 2s, 5m, 1h, 7d; 0 needs no unit */
bool scalar_bytes(patchbay_str, int64_t *ret); /* 512, 64K, 10M, 1G, 2T: powers of 1024 */

/* 50/s, 20/min, 500/h: so many in so many milliseconds; "off": 0 in 0. */
#define SCALAR_RATE_MAX 1000000
bool scalar_rate(patchbay_str, int64_t *ret_count, int64_t *ret_ms);

/* Bits behind the prefix are cleared; *ret_stray tells whether there were any. */
bool scalar_cidr(patchbay_str, patchbay_cidr *ret, bool *ret_stray);

#define SCALAR_SHOW_SIZE 32
const char *scalar_show_ms(int64_t, char out[SCALAR_SHOW_SIZE]); /* in the largest unit that fits exactly */
const char *scalar_show_bytes(int64_t, char out[SCALAR_SHOW_SIZE]);

#endif
