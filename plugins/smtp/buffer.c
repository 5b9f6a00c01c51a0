/* buffer.c - bytes that grow. */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *grow(struct buffer *buffer, size_t n)
{
	size_t need, room;
	if (buffer->failed)
		return NULL;
	if (__builtin_add_overflow(buffer->n, n, &need) || __builtin_mul_overflow(need, 2u, &room))
		goto failed;
	if (need > buffer->room) {
		char *p = realloc(buffer->p, room);
		if (!p)
			goto failed;
		buffer->p = p;
		buffer->room = room;
	}
	return buffer->p + buffer->n;
failed:
	buffer->failed = true;
	return NULL;
}

void buffer_add(struct buffer *buffer, const void *p, size_t n)
{
	char *at = n ? grow(buffer, n) : NULL;
	if (!at)
		return;
	memcpy(at, p, n);
	buffer->n += n;
}

void buffer_add_str(struct buffer *buffer, patchbay_str s)
{
	buffer_add(buffer, s.p, s.n);
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

void buffer_addf(struct buffer *buffer, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *at = n < 0 ? NULL : grow(buffer, (size_t)n + 1);
	if (!at) {
		buffer->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buffer->n += (size_t)n;
}

patchbay_str buffer_str(const struct buffer *buffer)
{
	return (patchbay_str){ buffer->n ? buffer->p : "", buffer->n };
}

void buffer_clear(struct buffer *buffer)
{
	buffer->n = 0;
	buffer->failed = false;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->p);
	*buffer = (struct buffer){ 0 };
}
