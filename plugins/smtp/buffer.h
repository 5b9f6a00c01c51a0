/* buffer.h - bytes that grow. What does not fit into memory is remembered in `failed`, not half written. */
#ifndef SMTP_BUFFER_H
#define SMTP_BUFFER_H

#include <patchbay/plugin.h>

struct buffer {
	char *p;
	size_t n, room;
	bool failed; /* out of memory; nothing more is added */
};

void buffer_add(struct buffer *, const void *p, size_t n);
void buffer_add_str(struct buffer *, patchbay_str);
void buffer_add_text(struct buffer *, const char *text);
void buffer_addf(struct buffer *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
patchbay_str buffer_str(const struct buffer *);
void buffer_clear(struct buffer *); /* keeps the memory */
void buffer_free(struct buffer *);

#endif
