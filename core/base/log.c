/* log.c - one line, one write(). What a message quotes may come from anybody, so whatever could start a
 * new line or steer a terminal is escaped. */
#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 3072
#define PREFIX_MAX 64
#define LIMIT_NS (10 * NS_PER_S)

static _Atomic int threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	threshold = (int)level;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		break;
	}
	return "debug";
}

/* out has room for 4 n bytes. */
static size_t escape(const char *text, size_t n, char *out)
{
	const unsigned char *p = (const unsigned char *)text;
	char *at = out;

	for (size_t i = 0; i < n;) {
		size_t length = utf8_sequence(p + i, n - i);
		bool c1 = length == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0;
		if (length == 0 || p[i] < 0x20 || p[i] == 0x7f || c1) {
			if (p[i] == '\n')
				at += sprintf(at, "\\n");
			else
				at += sprintf(at, "\\x%02x", p[i]);
			i++;
			continue;
		}
		memcpy(at, text + i, length);
		at += length;
		i += length;
	}
	return (size_t)(at - out);
}

static void write_line(enum log_level level, const char *message, size_t n)
{
	char line[PREFIX_MAX + 4 * MESSAGE_MAX + 1];
	char iso[CLOCK_ISO_SIZE];
	int64_t now = clock_wall_ns();

	clock_format_iso(now - now % NS_PER_S, iso);
	size_t at = (size_t)snprintf(line, PREFIX_MAX, "%.19s.%03dZ %s ", iso, (int)(now % NS_PER_S / NS_PER_MS),
				     level_name(level));
	at += escape(message, n, line + at);
	line[at++] = '\n';
	/* A log that cannot be written has nobody to be told about it. */
	if (write(STDERR_FILENO, line, at) < 0)
		return;
}

/* Returns the length. What is too long is cut, visibly. */
__attribute__((format(printf, 2, 0))) static size_t format_message(char out[MESSAGE_MAX], const char *fmt, va_list ap)
{
	static const char cut[] = "...";
	int n = vsnprintf(out, MESSAGE_MAX, fmt, ap);

	if (n < 0)
		return 0;
	if ((size_t)n < MESSAGE_MAX)
		return (size_t)n;
	memcpy(out + MESSAGE_MAX - sizeof(cut), cut, sizeof(cut));
	return MESSAGE_MAX - 1;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	if ((int)level > threshold)
		return;
	va_start(ap, fmt);
	size_t n = format_message(message, fmt, ap);
	va_end(ap);
	write_line(level, message, n);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;
	int64_t now = clock_steady_ns(), next = limit->next_ns;

	if ((int)level > threshold)
		return;
	if ((next && now < next) || !atomic_compare_exchange_strong(&limit->next_ns, &next, now + LIMIT_NS)) {
		limit->left_out++;
		return;
	}
	uint64_t left_out = atomic_exchange(&limit->left_out, 0);
	va_start(ap, fmt);
	size_t n = format_message(message, fmt, ap);
	va_end(ap);
	if (left_out && n + 48 < MESSAGE_MAX)
		n += (size_t)snprintf(message + n, MESSAGE_MAX - n, " (%llu more like this left out)",
				      (unsigned long long)left_out);
	write_line(level, message, n);
}
