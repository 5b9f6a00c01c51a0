/* base64.h - bytes as text, by RFC 4648: with padding, without line breaks, and each value in one form only. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <patchbay/plugin.h>

#include <stdbool.h>

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_SIZE(bytes.n) characters, without a NUL. [any thread] */
void base64_encode(patchbay_str bytes, char *out);
/* Writes at most text.n / 4 * 3 bytes. False: that is none, and what was written is nothing. [any thread] */
bool base64_decode(patchbay_str text, char *out, size_t *ret_n);

#endif
