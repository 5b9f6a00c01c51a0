/* str.h - text with its length. The SDK's patchbay_str is the string type of the core, too: pointer
 * and length, borrowed, no NUL behind it. struct buf grows; what is put into it is copied. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <patchbay/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STR(literal) ((patchbay_str){ "" literal, sizeof(literal) - 1 })
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

patchbay_str str_c(const char *s); /* NULL gives {NULL, 0} */
bool str_eq(patchbay_str a, patchbay_str b);
bool str_is(patchbay_str a, const char *b);
bool str_eq_nocase(patchbay_str a, patchbay_str b); /* ASCII */
bool str_starts(patchbay_str s, patchbay_str prefix);

/* Shell-like: '*' any run, '?' any one byte; everything else stands for itself. */
bool str_glob(patchbay_str pattern, patchbay_str s);

/* The candidate nearest to `s` by edits, or NULL when none is near enough to be meant. */
const char *str_nearest(patchbay_str s, const char *const *candidates, size_t n);

#define STR_BYTES_SIZE 32
/* "12.3 MiB", for people. Returns out. */
const char *str_show_bytes(uint64_t bytes, char out[STR_BYTES_SIZE]);

struct buf {
	char *p;
	size_t n, room;
};

void buf_free(struct buf *);               /* and makes it empty again */
char *buf_grow(struct buf *, size_t n);    /* room for n more bytes behind the end; does not move the end */
void buf_add(struct buf *, const void *p, size_t n);
void buf_add_str(struct buf *, patchbay_str);
void buf_addf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_add_json_string(struct buf *, patchbay_str); /* quoted and escaped; bytes that are not UTF-8 become U+FFFD */
const char *buf_cstr(struct buf *);        /* NUL-terminated, good until the next change */
patchbay_str buf_str(const struct buf *);

#endif
